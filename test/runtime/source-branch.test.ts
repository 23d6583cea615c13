import { filter, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline, type OperatorInput, type Pipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/testing.ts';
import { collector, slow, ticker } from '../support/parts.ts';

/** A pipeline with a second branch that takes the frames of the source. */
function withSourceBranch(
  clock: VirtualClock,
  operators: OperatorInput[],
  taken: Frame[],
): Pipeline {
  const pipeline = definePipeline({
    source: ticker({ frames: 10, periodMs: 10 }),
    operators,
    sinks: [collector(clock)(), { name: 'taken', sink: collector(clock, { delivered: taken })() }],
  });
  const [results, branch] = pipeline.branches;
  if (!results || !branch) throw new Error('a branch is missing');
  return { ...pipeline, branches: [results, { ...branch, takes: 'source' }] };
}

async function run(operators: OperatorInput[]) {
  const clock = new VirtualClock();
  const taken: Frame[] = [];
  const handle = await startPipeline(withSourceBranch(clock, operators, taken), { clock });
  let over = false;
  void handle.done.then(() => {
    over = true;
  });
  for (let n = 0; n < 500 && !over; n++) await clock.advance(10);
  const summary = await handle.done;
  expect(summary.branches.map(imbalance)).toEqual([0, 0]);
  const [results] = summary.branches;
  return { summary, results, taken: taken.map(({ seq }) => seq) };
}

const all = Array.from({ length: 10 }, (_, seq) => seq);

describe('a branch that takes the frames of the source', () => {
  it('gets every frame, whatever the operators do with them', async () => {
    const { results, taken } = await run([filter(({ seq }) => seq % 2 === 0), slow({ ms: 5 })]);
    expect(taken).toEqual(all);
    expect(results?.delivered).toBe(5);
  });

  it('gets the frame that an operator fails on', async () => {
    const fail = filter<Frame>(({ seq }) => {
      if (seq === 4) throw new Error('it fails');
      return true;
    });
    const { summary, taken } = await run([fail]);
    expect(summary.error?.message).toBe('it fails');
    expect(taken).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not keep a run going whose results have ended', async () => {
    const { results, taken } = await run([take(3)]);
    expect(results?.delivered).toBe(3);
    expect(taken.length).toBeLessThan(5);
  });
});
