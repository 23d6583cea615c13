import { expect, it } from 'vitest';
import { EndWatch } from '../../src/runtime/end-watch.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';

function setUp(first: number | undefined) {
  const clock = new VirtualClock();
  const state = { progress: first, patience: 100, overdue: [] as number[] };
  const watch = new EndWatch({
    clock,
    patienceMs: () => state.patience,
    progress: () => state.progress,
    onOverdue: () => state.overdue.push(clock.now()),
  });
  return { clock, state, watch };
}

it('notices once that there is no progress', async () => {
  const { clock, state } = setUp(3);
  await clock.advance(99);
  expect(state.overdue).toEqual([]);
  await clock.advance(1000);
  expect(state.overdue).toEqual([100]);
});

it('waits while there is progress', async () => {
  const { clock, state } = setUp(0);
  for (let n = 1; n <= 5; n++) {
    await clock.advance(90);
    state.progress = n;
  }
  expect(state.overdue).toEqual([]);
  await clock.advance(1000);
  expect(state.overdue).toHaveLength(1);
  expect(state.overdue[0]).toBeGreaterThan(500);
});

it('waits while frames are in flight, and then for as long as is asked for now', async () => {
  const { clock, state } = setUp(undefined);
  await clock.advance(1050);
  expect(state.overdue).toEqual([]);
  state.progress = 7;
  state.patience = 30;
  await clock.advance(1000);
  // At 1100 the progress is new, at 1130 it is the same.
  expect(state.overdue).toEqual([1130]);
});

it('ends when it is stopped', async () => {
  const { clock, state, watch } = setUp(1);
  await clock.advance(50);
  watch.stop();
  await clock.advance(1000);
  expect(state.overdue).toEqual([]);
});
