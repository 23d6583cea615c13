import { expect, test } from 'vitest';
import { frameRate, frameTime } from '../../src/gstreamer/frame-rate.ts';
import { fc } from '../support/property.ts';

test.each([
  [30, '30/1'],
  [60, '60/1'],
  [1, '1/1'],
  [1000, '1000/1'],
  [29.97, '30000/1001'],
  [59.94, '60000/1001'],
  [23.976, '24000/1001'],
  [23.98, '24000/1001'],
  [119.88, '120000/1001'],
  [14.985, '15000/1001'],
  [30000 / 1001, '30000/1001'],
  [33.33, '100/3'],
  [33.333, '100/3'],
  [16.67, '50/3'],
  [7.5, '15/2'],
  [12.5, '25/2'],
  [29.5, '59/2'],
  [499.5, '999/2'],
  [14.25, '57/4'],
  [0.1, '1/10'],
  [0.01, '1/100'],
])('%f frames per second are %s', (fps, rate) => {
  expect(frameRate(fps)).toBe(rate);
});

test('every rate of two decimals is the fraction that reads so', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (hundredths) => {
      const fps = hundredths / 100;
      const [n, d] = frameRate(fps).split('/').map(Number) as [number, number];
      expect((n / d).toFixed(2)).toBe(fps.toFixed(2));
      expect(d).toBeLessThanOrEqual(1001);
    }),
  );
});

test('the times of frames follow the exact rate', () => {
  expect(frameTime(30_000, 29.97)).toBe(1001_000_000_000n);
  expect(frameTime(1, 30)).toBe(33_333_333n);
  expect(frameTime(2, 30)).toBe(66_666_667n);
});
