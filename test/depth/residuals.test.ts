import { expect, it } from 'vitest';
import { fromResiduals, toResiduals } from '../../src/depth/residuals.ts';
import { fc } from '../support/property.ts';

it('gives back every value', () => {
  const map = fc
    .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
    .chain((size) =>
      fc.record({
        size: fc.constant(size),
        values: fc.uint16Array({
          minLength: size.width * size.height,
          maxLength: size.width * size.height,
        }),
      }),
    );
  fc.assert(
    fc.property(map, ({ size, values }) => {
      expect(fromResiduals(toResiduals(values, size), size)).toEqual(values);
    }),
  );
});

it('gives back the ends of the range beside each other', () => {
  const size = { width: 3, height: 2 };
  const values = Uint16Array.of(0, 65_535, 0, 65_535, 0, 65_535);
  expect(fromResiduals(toResiduals(values, size), size)).toEqual(values);
});

it('codes a plane as zeros behind its first row and column', () => {
  const size = { width: 4, height: 3 };
  const plane = Uint16Array.from({ length: 12 }, (_, i) => 1000 + 7 * (i % 4) + 5 * (i >> 2));
  const inside = [...toResiduals(plane, size)].filter((_, i) => i % 4 > 0 && (i % 12) >> 2 > 0);
  expect(inside).toEqual(inside.map(() => 0));
});

it('refuses bytes of another size', () => {
  expect(() => fromResiduals(new Uint8Array(7), { width: 2, height: 2 })).toThrow(
    '7 bytes for a depth map of 2×2',
  );
});
