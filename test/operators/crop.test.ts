import { expect, test } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { crop } from '../../src/operators/crop.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

const part = { left: 2, top: 1, width: 4, height: 3 };

test('keeps a rectangle of a picture', async () => {
  const frame = imageFrame(8, 6, 0, (x, y) => [x, y, 7]);
  const [out] = (await runOperator(crop, part, [frame])) as ImageFrame[];
  expect(out).toEqual({
    ...frame,
    view: { ...part, source: { width: 8, height: 6 } },
    width: 4,
    height: 3,
    data: imageFrame(4, 3, 0, (x, y) => [x + 2, y + 1, 7]).data,
  });
});

test('picture, truth and intrinsics of a depth frame follow', async () => {
  const frame: DepthFrame = {
    ...depthFrame(8, 6, 0, (x) => x),
    image: imageFrame(16, 12, 0, (x, y) => [x, y, 0]),
    truth: depthFrame(4, 3, 0, (x, y) => 10 * y + x + 1),
    intrinsics: { fx: 9, fy: 8, cx: 3.5, cy: 2.5 },
  };
  const [out] = (await runOperator(crop, { ...part, top: 2, height: 4 }, [frame])) as DepthFrame[];
  expect([...(out?.data.subarray(0, 4) ?? [])]).toEqual([2, 3, 4, 5]);
  expect(out?.intrinsics).toEqual({ fx: 9, fy: 8, cx: 1.5, cy: 0.5 });
  expect(out?.image).toMatchObject({ width: 8, height: 8 });
  expect([...(out?.image?.data.subarray(0, 2) ?? [])]).toEqual([4, 4]);
  expect(out?.truth).toMatchObject({ width: 2, height: 2 });
  expect([...(out?.truth?.data ?? [])]).toEqual([12, 13, 22, 23]);
});

test('aspect keeps the centre', async () => {
  const frame = depthFrame(16, 9, 0, (x) => x);
  const [out] = (await runOperator(crop, { aspect: '4:3' }, [frame])) as DepthFrame[];
  expect(out).toMatchObject({ width: 12, height: 9 });
  expect(out?.data[0]).toBe(2);
});

test('passes a frame that has the aspect ratio already', async () => {
  const frame = imageFrame(8, 6);
  expect((await runOperator(crop, { aspect: '4:3' }, [frame]))[0]).toBe(frame);
});

test('fails on a part that exceeds the frame', async () => {
  const run = runOperator(crop, { ...part, left: 6 }, [imageFrame(8, 6)]);
  await expect(run).rejects.toThrow('the crop of 4×3 at (6, 1) exceeds the frame of 8×6');
});

test('needs one of its two forms', () => {
  const fails = (options: unknown) => crop.options.safeParse(options).error?.issues[0]?.message;
  const message = 'needs either left, top, width and height, or aspect';
  expect(fails({})).toBe(message);
  expect(fails({ left: 1, top: 1 })).toBe(message);
  expect(fails({ ...part, aspect: '4:3' })).toBe(message);
});

test('fuses', () => {
  const fuse = (options: unknown) => crop.fuse?.(crop.options.parse(options));
  expect(fuse(part)).toEqual({ do: 'crop', region: part });
  expect(fuse({ aspect: '4:3' })).toEqual({ do: 'crop', region: { aspect: 4 / 3 } });
});
