import { expect, test } from 'vitest';
import { cropPixels, scaleNearest, scaleRectangle } from '../../src/depth/geometry.ts';
import { fc } from '../support/property.ts';

const side = fc.integer({ min: 1, max: 300 });
const size = fc.record({ width: side, height: side });

test('a scaled rectangle is never empty and stays within the picture', () => {
  const cases = fc.record({ from: size, to: size, x: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(cases, ({ from, to, x }) => {
      const left = Math.floor(x * (from.width - 1));
      const part = { left, top: 0, width: from.width - left, height: from.height };
      const scaled = scaleRectangle(part, from, to);
      expect(scaled.width).toBeGreaterThanOrEqual(1);
      expect(scaled.left + scaled.width).toBeLessThanOrEqual(to.width);
      expect(scaled).toMatchObject({ top: 0, height: to.height });
    }),
  );
});

test('cropPixels keeps the kind of array', () => {
  const data = Uint8Array.from({ length: 24 }, (_, i) => i);
  const part = { left: 1, top: 1, width: 2, height: 1 };
  expect(cropPixels(data, 4, 3, part)).toEqual(Uint8Array.of(15, 16, 17, 18, 19, 20));
});

test('scaleNearest takes the pixel under the centre', () => {
  const map = { width: 4, height: 1, data: Float32Array.of(1, 2, 3, 4) };
  expect([...scaleNearest(map, { width: 2, height: 1 }).data]).toEqual([2, 4]);
  expect([...scaleNearest(map, { width: 8, height: 1 }).data]).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  expect(scaleNearest(map, { width: 4, height: 1 })).toBe(map);
});
