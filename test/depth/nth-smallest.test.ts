import { expect, it } from 'vitest';
import { nthSmallest } from '../../src/depth/nth-smallest.ts';
import { fc } from '../support/property.ts';

it('is the value at that place of the sorted values', () => {
  const values = fc.float32Array({ noNaN: true, minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(), (all, a, b) => {
      const length = 1 + (a % all.length);
      const n = b % length;
      // −0 and 0 are equal.
      const wanted = (all.slice(0, length).sort()[n] as number) + 0;
      expect(nthSmallest(all.slice(), length, n) + 0).toBe(wanted);
    }),
  );
});

it('finds it among many equal values', () => {
  const values = Float32Array.from({ length: 100_001 }, (_, i) => i % 3);
  expect(nthSmallest(values, values.length, 33_400)).toBe(1);
});
