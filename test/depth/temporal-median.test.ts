import { expect, test } from 'vitest';
import { temporalMedian } from '../../src/depth/temporal-median.ts';
import { fc } from '../support/property.ts';

/** By the definition: the middle of the valid values, or the mean of the two middle ones. */
function expected(values: readonly number[]): number {
  const valid = values.filter((v) => v > 0 && Number.isFinite(v)).toSorted((a, b) => a - b);
  const upper = valid[valid.length >> 1] ?? 0;
  return valid.length % 2 || valid.length === 0
    ? upper
    : (upper + (valid[valid.length / 2 - 1] as number)) / 2;
}

const depth = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: Math.fround(0.1), max: 100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY) },
);

test.each([2, 3, 4, 5, 6, 7])('window of %i: the median of the valid values', (window) => {
  const history = fc.array(fc.array(depth, { minLength: 3, maxLength: 3 }), {
    minLength: window,
    maxLength: window,
  });
  fc.assert(
    fc.property(history, (frames) => {
      const out = new Float32Array(3);
      temporalMedian(
        frames.map((values) => Float32Array.from(values)),
        out,
      );
      for (let i = 0; i < 3; i++) {
        const values = frames.map((frame) => Math.fround(frame[i] as number));
        expect(out[i]).toBe(Math.fround(expected(values)));
      }
    }),
  );
});
