import { expect, it } from 'vitest';
import { ForwardTime } from '../../../src/gstreamer/output/forward-time.ts';
import { fc } from '../../support/property.ts';

const ms = 1_000_000n;
const times = (...pts: number[]) => {
  const time = new ForwardTime();
  return pts.map((one) => Number(time.next(BigInt(one) * ms) / ms));
};

it('counts from the first frame and keeps gaps', () => {
  expect(times(5000, 5033, 5066, 9000)).toEqual([0, 33, 66, 4000]);
});

it('shows a frame that comes too late at the time of the one before, and keeps the others', () => {
  expect(times(0, 33, 100, 66, 133)).toEqual([0, 33, 100, 100, 133]);
  expect(times(100, 66, 133)).toEqual([0, 0, 33]);
});

it('continues by the last step where times begin again', () => {
  expect(times(5000, 5040, 5080, 0, 40, 80)).toEqual([0, 40, 80, 120, 160, 200]);
});

it('never goes back', () => {
  const pts = fc.array(fc.bigInt(0n, 2n ** 63n - 1n), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(pts, (all) => {
      const time = new ForwardTime();
      let previous = 0n;
      for (const one of all) {
        const next = time.next(one);
        expect(next).toBeGreaterThanOrEqual(previous);
        previous = next;
      }
    }),
  );
});
