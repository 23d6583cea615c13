import { expect, it } from 'vitest';
import { Pacer, ptsOf } from '../../src/core/pacer.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';

const never = new AbortController().signal;

it('spaces frames evenly, and does not catch up after a delay', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, 100);
  const times: number[] = [];
  const run = (async () => {
    for (let n = 0; n < 6; n++) {
      await pacer.wait(never);
      times.push(clock.now());
      // The third frame takes too long.
      if (n === 2) await new Promise<void>((resolve) => clock.after(35, resolve));
    }
  })();
  await clock.until(run);
  expect(times).toEqual([0, 10, 20, 55, 65, 75]);
});

it('never waits without a rate', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, undefined);
  for (let n = 0; n < 3; n++) await pacer.wait(never);
  expect(clock.now()).toBe(0);
});

it('without a rate waits for the intervals that it is given, from the frame before', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, undefined);
  const waits = async (intervalMs?: number) => {
    await clock.until(pacer.wait(never, intervalMs));
    return clock.now();
  };
  // Before the first interval there is nothing to wait from.
  expect([await waits(), await waits(50)]).toEqual([0, 0]);
  await clock.advance(30);
  expect([await waits(), await waits(50)]).toEqual([30, 80]);
});

it('stops waiting when the signal aborts', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, 1);
  const stop = new AbortController();
  await pacer.wait(stop.signal);
  const waiting = pacer.wait(stop.signal);
  stop.abort();
  await waiting;
  expect(clock.now()).toBe(0);
});

it.each([
  [0, 30, 0n],
  [1, 30, 33_333_333n],
  [3, 30, 100_000_000n],
  [7, 10, 700_000_000n],
])('frame %i at %i fps has its time', (n, fps, expected) => {
  expect(ptsOf(n, fps)).toBe(expected);
});
