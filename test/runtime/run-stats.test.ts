import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { RunStats } from '../../src/core/run-stats.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

/** A sink that keeps what the run has counted: when it is made, and with each frame. */
function reader(seen: RunStats[]) {
  return defineSink({
    name: 'reader',
    summary: 'Reads the statistics of its run.',
    accepts: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    async create(_, context) {
      seen.push(context.runStats());
      return { write: () => void seen.push(context.runStats()) };
    },
  })({});
}

async function statsOfRun() {
  const clock = new VirtualClock();
  const seen: RunStats[] = [];
  const run = await startPipeline(
    definePipeline({
      source: ticker({ frames: 20, periodMs: 10 }),
      operators: [slow({ ms: 4 })],
      sinks: [
        { name: 'one', sink: reader(seen) },
        {
          name: 'two',
          sink: collector(clock, { ms: 25 })({}),
          queue: { limit: 1, whenFull: 'drop-oldest' },
        },
      ],
    }),
    { clock },
  );
  await clock.until(run.done);
  return { run, seen };
}

describe('the statistics of a run, as its components read them', () => {
  it('name every stage with its kind and its branch', async () => {
    const { seen } = await statsOfRun();
    expect(seen.at(-1)?.stages.map(({ stage, kind, branch }) => [stage, kind, branch])).toEqual([
      ['ticker', 'source', undefined],
      ['slow', 'operator', undefined],
      ['one queue', 'queue', 'one'],
      ['one', 'sink', 'one'],
      ['two queue', 'queue', 'two'],
      ['two', 'sink', 'two'],
    ]);
  });

  it('are those of the moment, and in the end those of the summary', async () => {
    const { run, seen } = await statsOfRun();
    expect(seen[0]).toEqual({
      ...{ captured: 0, processed: 0, elapsedMs: 0, ending: false },
      ...{ branches: [], paused: false, heldBy: [], stages: [] },
    });
    expect(seen.slice(1).map(({ processed }) => processed)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const { branches } = await run.done;
    expect(run.stats().branches).toMatchObject(
      branches.map(({ latencyMs: _, ...account }) => account),
    );
    expect(branches[1]?.dropped).not.toEqual([]);
  });
});
