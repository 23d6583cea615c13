import { expect, it } from 'vitest';
import { StreamTime } from '../../src/topic/stream-time.ts';
import { fc } from '../support/property.ts';

const ms = 1_000_000n;
const times = (...pairs: [pts: bigint, receivedMs: number][]) => {
  const time = new StreamTime();
  return pairs.map(([pts, receivedMs]) => time.next(pts * ms, receivedMs) / ms);
};

it("keeps the publisher's times and their steps", () => {
  expect(times([5000n, 100], [5033n, 900], [5066n, 901], [5066n, 902])).toEqual([
    5000n,
    5033n,
    5066n,
    5066n,
  ]);
});

it('advances by the elapsed time when the publisher restarts', () => {
  expect(times([3_600_000n, 0], [0n, 2500], [33n, 2533])).toEqual([
    3_600_000n,
    3_602_500n,
    3_602_533n,
  ]);
});

it('accepts a step of up to 10 s beyond the elapsed time, and no larger one', () => {
  expect(times([0n, 0], [10_040n, 40])).toEqual([0n, 10_040n]);
  expect(times([0n, 0], [10_041n, 40], [10_074n, 73])).toEqual([0n, 40n, 73n]);
  // A publisher that was silent for an hour.
  expect(times([0n, 0], [3_600_000n, 3_600_000])).toEqual([0n, 3_600_000n]);
});

it('never goes back, and stays within 10 s of the elapsed time', () => {
  const step = fc.record({ pts: fc.bigInt(0n, 2n ** 63n - 1n), passed: fc.nat(100_000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      const time = new StreamTime();
      let nowMs = 0;
      let previous: bigint | undefined;
      for (const { pts, passed } of steps) {
        nowMs += passed;
        const next = time.next(pts, nowMs);
        if (previous !== undefined) {
          expect(next).toBeGreaterThanOrEqual(previous);
          expect(next - previous).toBeLessThanOrEqual(BigInt(passed + 10_000) * ms);
        }
        previous = next;
      }
    }),
  );
});

it('stays within the times that readers accept', () => {
  const latest = 2n ** 63n - 1n;
  const time = new StreamTime();
  // It begins too late to leave room for what follows.
  expect(time.next(latest, 0)).toBe(0n);
  expect(time.next(0n, 40)).toBe(40n * ms);
  const rising = new StreamTime();
  const start = 2n ** 62n - 1n;
  expect(rising.next(start, 0)).toBe(start);
  const far = Number((latest - start) / ms);
  expect(rising.next(latest, far)).toBe(latest);
  expect(rising.next(0n, far + 1000)).toBe(latest);
});
