import { expect, test } from 'vitest';
import { stereoGeometry, swapDisparity, toSteps } from '../../src/depth/disparity.ts';
import { stereoFrame } from '../../src/testing/sample-frames.ts';

test('metres are baseline × fx / (disparity + offset), with the intrinsics of the frame', () => {
  const frame = stereoFrame();
  const { intrinsics: _, ...bare } = frame;
  const { baseline: __, ...unknown } = frame;
  expect(stereoGeometry(bare)).toBeUndefined();
  expect(stereoGeometry(unknown)).toBeUndefined();
  const geometry = stereoGeometry({ ...frame, offset: 5 })!;
  expect(geometry).toEqual({ fx: 14, baseline: 0.1, offset: 5 });
  const disparity = Float32Array.of(2, 9);
  const metres = swapDisparity(disparity, geometry, 'depth');
  expect(metres[0]).toBeCloseTo(1.4 / 7, 6);
  expect(metres[1]).toBeCloseTo(1.4 / 14, 6);
  const back = swapDisparity(metres, geometry, 'disparity');
  for (const [i, value] of disparity.entries()) expect(back[i]).toBeCloseTo(value, 5);
});

test('what is no disparity gives no depth', () => {
  const geometry = { fx: 100, baseline: 0.1, offset: -3 };
  const values = Float32Array.of(0, Number.NaN, -1, Infinity, 3, 2);
  expect([...swapDisparity(values, geometry, 'depth')]).toEqual([0, 0, 0, 0, 0, 0]);
});

test('16-bit pictures have 256 steps a pixel; no disparity is 0, and no other one is', () => {
  const data = Float32Array.of(0, Number.NaN, 0.001, 1, 10.5, 300);
  expect([...toSteps({ data })]).toEqual([0, 0, 1, 256, 2688, 65_535]);
});
