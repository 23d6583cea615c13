import { expect, test } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { wholeView } from '../../src/depth/view.ts';
import { flip } from '../../src/operators/flip.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

test.each([
  ['horizontal', (x: number, y: number) => [4 - x, y, 9]],
  ['vertical', (x: number, y: number) => [x, 2 - y, 9]],
  ['both', (x: number, y: number) => [4 - x, 2 - y, 9]],
] as const)('%s mirrors a picture', async (axis, expected) => {
  const frame = imageFrame(5, 3, 0, (x, y) => [x, y, 9]);
  const [out] = (await runOperator(flip, { axis }, [frame])) as ImageFrame[];
  const wanted = imageFrame(5, 3, 0, (x, y) => expected(x, y) as [number, number, number]);
  const view = { ...wholeView({ width: 5, height: 3 }), flip: axis };
  expect(out).toEqual({ ...wanted, view });
});

test('picture, truth and intrinsics of a depth frame follow', async () => {
  const frame: DepthFrame = {
    ...depthFrame(4, 2, 0, (x) => x),
    image: imageFrame(4, 2, 0, (x) => [x, 0, 0]),
    truth: depthFrame(2, 1, 0, (x) => x + 1),
    intrinsics: { fx: 5, fy: 6, cx: 1, cy: 0.25 },
  };
  const [out] = (await runOperator(flip, { axis: 'both' }, [frame])) as DepthFrame[];
  expect([...(out?.data ?? [])]).toEqual([3, 2, 1, 0, 3, 2, 1, 0]);
  expect(out?.image?.data[0]).toBe(3);
  expect([...(out?.truth?.data ?? [])]).toEqual([2, 1]);
  expect(out?.intrinsics).toEqual({ fx: 5, fy: 6, cx: 2, cy: 0.75 });
});

test('flipping twice restores the frame', async () => {
  const view = wholeView({ width: 7, height: 5 });
  const frame = { ...imageFrame(7, 5), view, intrinsics: { fx: 5, fy: 6, cx: 1, cy: 2 } };
  const once = await runOperator(flip, { axis: 'both' }, [frame]);
  expect(await runOperator(flip, { axis: 'both' }, once)).toEqual([frame]);
});

test('fuses', () => {
  const fusion = flip.fuse?.(flip.options.parse({ axis: 'vertical' }));
  expect(fusion).toEqual({ do: 'flip', axis: 'vertical' });
});
