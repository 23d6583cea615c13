import { expect, test } from 'vitest';
import { ColorRangeTracker } from '../../src/depth/color-range.ts';

const flat = (metres: number, pts: bigint) => ({
  width: 10,
  height: 10,
  data: new Float32Array(100).fill(metres),
  pts,
});
const second = 1_000_000_000n;

/** The near end after `seconds` of frames at `to` metres, behind one at `from`. */
function nearEnd(from: number, to: number, seconds: number, fps: number): number {
  const range = new ColorRangeTracker({ percentiles: [0, 100], max: 100 });
  let { min } = range.next(flat(from, 0n));
  for (let i = 1; i <= seconds * fps; i++) {
    min = range.next(flat(to, (BigInt(i) * second) / BigInt(fps))).min;
  }
  return min;
}

test('narrows with a time constant of 3 s, whatever the frame rate', () => {
  for (const fps of [5, 30]) expect(nearEnd(1, 2, 3, fps)).toBeCloseTo(2 - Math.exp(-1), 5);
});

test('widens with a time constant of 0.5 s, so that near things are not cut off for long', () => {
  for (const fps of [10, 30]) expect(nearEnd(2, 1, 1, fps)).toBeCloseTo(1 + Math.exp(-2), 5);
});

test('a fixed end stays', () => {
  const range = new ColorRangeTracker({ min: 0.5, max: 8, percentiles: [2, 98] });
  expect(range.next(flat(3, 0n))).toEqual({ min: 0.5, max: 8 });
});

test('without steadiness each frame has its own range', () => {
  const range = new ColorRangeTracker({ percentiles: [0, 100], steady: false });
  const slope = (near: number, pts: bigint) => ({
    ...flat(near, pts),
    data: Float32Array.from({ length: 100 }, (_, i) => near + i / 99),
  });
  for (const near of [1, 5, 2]) {
    const { min, max } = range.next(slope(near, 0n));
    expect(min).toBeCloseTo(near, 5);
    expect(max).toBeCloseTo(near + 1, 5);
  }
});
