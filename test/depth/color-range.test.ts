import { expect, test } from 'vitest';
import { ColorRangeTracker } from '../../src/depth/color-range.ts';

const flat = (metres: number, pts: bigint) => ({
  width: 10,
  height: 10,
  data: new Float32Array(100).fill(metres),
  pts,
});
const second = 1_000_000_000n;

test('follows with a time constant of two seconds, whatever the frame rate', () => {
  const after = (fps: number) => {
    const range = new ColorRangeTracker({ percentiles: [0, 100], max: 100 });
    range.next(flat(1, 0n));
    let min = 0;
    for (let i = 1; i <= 2 * fps; i++) {
      min = range.next(flat(2, (BigInt(i) * second) / BigInt(fps))).min;
    }
    return min;
  };
  const expected = 2 - Math.exp(-1);
  expect(after(5)).toBeCloseTo(expected, 5);
  expect(after(30)).toBeCloseTo(expected, 5);
});

test('a fixed end stays', () => {
  const range = new ColorRangeTracker({ min: 0.5, max: 8, percentiles: [2, 98] });
  expect(range.next(flat(3, 0n))).toEqual({ min: 0.5, max: 8 });
});
