import { expect, test } from 'vitest';
import { centreRectangle } from '../../src/core/size.ts';
import { fc } from '../support/property.ts';

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

test('with a step of 2 every side that is cut is even, and so are the offsets', () => {
  fc.assert(
    fc.property(size, fc.double({ min: 0.2, max: 5, noNaN: true }), (from, aspect) => {
      const { left, top, width, height } = centreRectangle(from, aspect, 2);
      expect(width === from.width || width % 2 === 0).toBe(true);
      expect(height === from.height || height % 2 === 0).toBe(true);
      expect([left % 2, top % 2]).toEqual([0, 0]);
    }),
  );
  // A side shorter than the step stays whole.
  const thin = centreRectangle({ width: 1, height: 4 }, 0.22, 2);
  expect(thin).toEqual({ left: 0, top: 0, width: 1, height: 4 });
  const tall = centreRectangle({ width: 480, height: 640 }, 4 / 3, 2);
  expect(tall).toEqual({ left: 0, top: 140, width: 480, height: 360 });
});
