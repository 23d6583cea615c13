import { BehaviorSubject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { slow, ticker } from '../support/parts.ts';

/** A sink that somebody looks at, or not. */
function watched(wanted: BehaviorSubject<boolean>, seen: number[]) {
  return defineSink({
    name: 'watched',
    summary: 'Wants frames at times.',
    accepts: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({ wanted, write: (frame) => void seen.push(frame.seq) }),
  })({});
}

async function runWith(audience: readonly boolean[], live: boolean) {
  const clock = new VirtualClock();
  const wanted = audience.map((value) => new BehaviorSubject(value));
  const seen = audience.map(() => [] as number[]);
  const run = await startPipeline(
    definePipeline({
      source: ticker({ frames: 100, periodMs: 10, live }),
      operators: [slow({ ms: 4 })],
      sinks: wanted.map((one, i) => ({ name: `sink${i}`, sink: watched(one, seen[i] ?? []) })),
    }),
    { clock },
  );
  const end = async () => {
    const summary = await clock.until(run.done);
    expect(summary.branches.map(imbalance)).toEqual(audience.map(() => 0));
    return summary;
  };
  return { clock, run, wanted, seen, end };
}

describe('while no sink wants frames', () => {
  it('a camera is not asked for any, and then for new ones', async () => {
    const { clock, run, wanted, seen, end } = await runWith([false], true);
    await clock.advance(500);
    expect(run.stats()).toMatchObject({ processed: 0, heldBy: ['a subscriber'] });
    wanted[0]?.next(true);
    await clock.advance(200);
    wanted[0]?.next(false);
    const { branches } = await end();
    expect(seen[0]?.[0]).toBeGreaterThanOrEqual(50);
    expect(seen[0]?.at(-1)).toBeLessThanOrEqual(71);
    const dropped = branches[0]?.dropped ?? [];
    expect(dropped[0]).toMatchObject({ stage: 'ticker', reason: 'at capture' });
    const lost = dropped.reduce((sum, { count }) => sum + count, 0);
    expect(lost).toBe(100 - (seen[0]?.length ?? 0));
  });

  it('a file waits', async () => {
    const { clock, wanted, seen, end } = await runWith([false], false);
    await clock.advance(500);
    expect(seen[0]).toEqual([]);
    wanted[0]?.next(true);
    await end();
    expect(seen[0]).toHaveLength(100);
  });
});

describe('while one of two sinks wants frames', () => {
  it('the other is given none, which is counted', async () => {
    const { seen, end } = await runWith([true, false], false);
    const { branches } = await end();
    expect(seen.map((frames) => frames.length)).toEqual([100, 0]);
    expect(branches[1]?.dropped).toEqual([
      { stage: 'sink1 queue', reason: 'no subscribers', count: 100 },
    ]);
  });
});
