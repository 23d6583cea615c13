import { expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { takeEye } from '../../src/operators/take-eye.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame, stereoFrame } from '../../src/testing/sample-frames.ts';

const pair = { ...stereoFrame(), offset: 3, truth: depthFrame(8, 6) };

test('the left picture has the intrinsics and the truth of the pair', async () => {
  const [frame] = await runOperator(takeEye, {}, [pair]);
  expect(frame).toMatchObject({ kind: 'image', seq: 0, width: 8, height: 6 });
  expect((frame as ImageFrame).data).toEqual(pair.left.data);
  expect(frame?.intrinsics).toEqual(pair.intrinsics);
  expect(frame?.truth).toBe(pair.truth);
});

test('the right one has its own principal point, and no truth', async () => {
  const [frame] = await runOperator(takeEye, { side: 'right' }, [pair]);
  expect((frame as ImageFrame).data).toEqual(pair.right.data);
  expect(frame?.intrinsics).toEqual({ ...pair.intrinsics, cx: 3.5 + 3 });
  expect(frame).not.toHaveProperty('truth');
});
