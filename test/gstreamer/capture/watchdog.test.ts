import { expect, test } from 'vitest';
import { Watchdog } from '../../../src/gstreamer/capture/watchdog.ts';
import { VirtualClock } from '../../../src/runtime/virtual-clock.ts';

function setUp() {
  const clock = new VirtualClock();
  const state = { since: 0 as number | undefined, stalls: [] as number[] };
  const watchdog = new Watchdog({
    clock,
    patienceMs: () => 1000,
    waitingSince: () => state.since,
    onStall: () => state.stalls.push(clock.now()),
  });
  return { clock, state, watchdog };
}

test('reports once when what is awaited does not come', async () => {
  const { clock, state, watchdog } = setUp();
  watchdog.watch();
  watchdog.watch();
  await clock.advance(10_000);
  expect(state.stalls).toEqual([1100]);
});

test('waits on while things come, even late ones', async () => {
  const { clock, state, watchdog } = setUp();
  watchdog.watch();
  await clock.advance(900);
  state.since = 900;
  await clock.advance(1050);
  // At 1900 it was overdue; it came before the second look.
  state.since = 1950;
  await clock.advance(900);
  expect(state.stalls).toEqual([]);
});

test('says nothing when nothing is awaited or after it was stopped', async () => {
  const { clock, state, watchdog } = setUp();
  watchdog.watch();
  state.since = undefined;
  await clock.advance(5000);
  state.since = 5000;
  watchdog.watch();
  watchdog.stop();
  await clock.advance(5000);
  expect(state.stalls).toEqual([]);
});
