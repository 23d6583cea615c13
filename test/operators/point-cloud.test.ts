import { describe, expect, test } from 'vitest';
import type { DepthFrame, PointsFrame } from '../../src/core/frame.ts';
import { pointCloud } from '../../src/operators/point-cloud.ts';
import { resize } from '../../src/operators/resize.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

const intrinsics = { fx: 10, fy: 20, cx: 1, cy: 1 };
const frame = (seq: number): DepthFrame => ({ ...depthFrame(4, 3, seq), intrinsics });

async function points(options: object, depth: DepthFrame): Promise<PointsFrame> {
  return (await runOperator(pointCloud, options, [depth]))[0] as PointsFrame;
}

test('x = (u − cx) z / fx, y = (v − cy) z / fy', async () => {
  const { count, data } = await points({}, frame(0));
  expect(count).toBe(12);
  // The pixel in the last column of the last row, 2 m away.
  const [x, y, z] = data.subarray(-3);
  expect(x).toBeCloseTo((2 * 2) / 10);
  expect(y).toBeCloseTo((1 * 2) / 20);
  expect(z).toBe(2);
});

test('a field of view is that of the part of the picture that the frame shows', async () => {
  const view = {
    ...{ left: 0, top: 0, width: 400, height: 300 },
    source: { width: 400, height: 300 },
  };
  // 4:3, squeezed into a square: as deep as wide at 90 degrees, and three quarters as high.
  const { intrinsics: k } = await points({ 'field-of-view': 90 }, { ...depthFrame(8, 8), view });
  expect(k).toMatchObject({ cx: 3.5, cy: 3.5 });
  expect([k?.fx, k?.fy].map((f) => f?.toFixed(6))).toEqual(['4.000000', (4 / 0.75).toFixed(6)]);
});

test('skips invalid pixels, and stride skips more', async () => {
  const bad = [0, Number.NaN, Number.POSITIVE_INFINITY, 2];
  const depth = { ...depthFrame(4, 3, 0, (x) => bad[x] as number), intrinsics };
  expect((await points({}, depth)).count).toBe(3);
  expect((await points({ stride: 2 }, frame(0))).count).toBe(4);
  expect((await points({ stride: 3 }, depth)).count).toBe(1);
});

test('a frame without a valid pixel has no points', async () => {
  const result = await points({}, { ...depthFrame(4, 3, 0, () => 0), intrinsics });
  expect(result).toMatchObject({ kind: 'points', count: 0 });
});

test('colours come from the picture, of any size', async () => {
  const image = imageFrame(8, 6, 0, (x, y) => [x, y, 5]);
  const { colors } = await points({}, { ...frame(0), image });
  expect([...(colors?.subarray(0, 6) ?? [])]).toEqual([1, 1, 5, 3, 1, 5]);
  expect(await points({ colors: false }, { ...frame(0), image })).not.toHaveProperty('colors');
});

describe('colours where picture and depth show different parts', () => {
  const source = { width: 16, height: 6 };
  const image = imageFrame(16, 6, 0, (x, y) => [x + 1, y + 1, 5]);
  const whole = { left: 0, top: 0, ...source, source };
  const middle = { ...whole, left: 4, width: 8 };
  const firstRow = async (depth: DepthFrame) => {
    const { colors } = await points({}, depth);
    return Array.from({ length: depth.width }, (_, i) => colors?.[i * 3]);
  };

  test('are those of the same place', async () => {
    const depth = { ...depthFrame(4, 3, 0), intrinsics, view: middle };
    expect(await firstRow({ ...depth, image: { ...image, view: whole } })).toEqual([6, 8, 10, 12]);
  });

  test('follow a flip of either', async () => {
    const depth = { ...depthFrame(4, 3, 0), intrinsics };
    const flipped = { ...middle, flip: 'horizontal' as const };
    const pictured = { ...image, view: whole };
    expect(await firstRow({ ...depth, view: flipped, image: pictured })).toEqual([12, 10, 8, 6]);
    const mirrored = { ...image, view: { ...whole, flip: 'horizontal' as const } };
    expect(await firstRow({ ...depth, view: middle, image: mirrored })).toEqual([12, 10, 8, 6]);
  });

  test('are black where the picture ends', async () => {
    const depth = { ...depthFrame(16, 3, 0), intrinsics, view: whole };
    const part = { ...imageFrame(8, 6, 0, (x) => [x + 1, 0, 0]), view: middle };
    expect(await firstRow({ ...depth, image: part })).toEqual([
      ...[0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0],
    ]);
  });
});

test('a field of view of 90 degrees: the border is as far to the side as ahead', async () => {
  const { data } = await points(
    { 'field-of-view': 90 },
    depthFrame(100, 50, 0, () => 3),
  );
  expect(data[0]).toBeCloseTo(-3 * 0.99);
  expect(data[1]).toBeCloseTo(-3 * 0.49);
});

test('view undoes a squeeze', async () => {
  const options = { 'field-of-view': 90, view: '4:3' };
  const { data, intrinsics: k } = await points(
    options,
    depthFrame(100, 100, 0, () => 3),
  );
  expect(data[0]).toBeCloseTo(-3 * 0.99);
  expect(data[1]).toBeCloseTo(-3 * 0.99 * 0.75);
  expect(k?.fy).toBeCloseTo((k?.fx as number) * (4 / 3));
});

test('a squeezed frame gives the same points as the frame it came from', async () => {
  const k = { fx: 60, fy: 60, cx: 39.5, cy: 29.5 };
  const plane = { ...depthFrame(80, 60, 0), intrinsics: k };
  const [squeezed] = await runOperator(resize, { width: 20, height: 20, view: '4:3' }, [plane]);
  const extent = ({ data, count }: PointsFrame) => {
    const at = (i: number) => [data[i * 3], data[i * 3 + 1]] as [number, number];
    return [at(0), at(count - 1)];
  };
  const [a, b] = [
    extent(await points({}, plane)),
    extent(await points({}, squeezed as DepthFrame)),
  ];
  // Half a pixel of the small frame, 2 m away.
  const pixel = (2 / 60) * 4;
  for (const i of [0, 1])
    for (const j of [0, 1]) expect(Math.abs(a[i]![j]! - b[i]![j]!)).toBeLessThan(pixel / 2 + 1e-6);
});

test('without intrinsics the error says what to set', async () => {
  await expect(points({}, depthFrame())).rejects.toThrow(
    'set field-of-view here, or intrinsics on the source',
  );
});

test('view alone is refused', () => {
  const { error } = pointCloud.options.safeParse({ view: '4:3' });
  expect(error?.issues[0]?.message).toBe('view needs field-of-view');
});
