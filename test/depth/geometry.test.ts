import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  centreRectangle,
  cropPixels,
  scaleNearest,
  scaleRectangle,
} from '../../src/depth/geometry.ts';

const side = fc.integer({ min: 1, max: 300 });
const size = fc.record({ width: side, height: side });

test('the centre rectangle lies within and has the shape, to a pixel', () => {
  fc.assert(
    fc.property(size, fc.double({ min: 0.2, max: 5, noNaN: true }), (from, aspect) => {
      const { left, top, width, height } = centreRectangle(from, aspect);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(top).toBeGreaterThanOrEqual(0);
      expect(width).toBeGreaterThan(0);
      expect(height).toBeGreaterThan(0);
      expect(left + width).toBeLessThanOrEqual(from.width);
      expect(top + height).toBeLessThanOrEqual(from.height);
      const off = Math.min(Math.abs(width - height * aspect), Math.abs(height - width / aspect));
      expect(off).toBeLessThanOrEqual(1);
    }),
  );
});

test('FastDepth’s part of a 720p picture', () => {
  const part = centreRectangle({ width: 1280, height: 720 }, 4 / 3);
  expect(part).toEqual({ left: 160, top: 0, width: 960, height: 720 });
});

test('a scaled rectangle is never empty and never sticks out', () => {
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
