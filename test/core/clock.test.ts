import { afterEach, expect, it, vi } from 'vitest';
import { ageMs, systemClock } from '../../src/core/clock.ts';

afterEach(() => vi.restoreAllMocks());

it.each([-3_600_000, 3_600_000])('ages are right when the clock is set by %i ms', (jump) => {
  const real = Date.now();
  const frame = { capturedAt: systemClock.wall() };
  const [before, now] = [systemClock.wall(), systemClock.now()];
  vi.spyOn(Date, 'now').mockImplementation(() => real + jump);
  const passed = BigInt(Math.round((systemClock.now() - now) * 1e6));
  const moved = systemClock.wall() - before - passed;
  expect(moved < 1_000_000_000n && moved > -1_000_000_000n).toBe(true);
  expect(ageMs(systemClock, frame)).toBeLessThan(3_600_000 / 2);
});

it('a frame from a machine whose clock is ahead has no negative age', () => {
  expect(ageMs(systemClock, { capturedAt: systemClock.wall() + 5_000_000_000n })).toBe(0);
});
