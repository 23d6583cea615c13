import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { measureFlicker } from '../../src/operators/measure-flicker.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

async function report(options: object, frames: DepthFrame[]) {
  const context = testContext();
  const out = await runOperator(measureFlicker, options, frames, context);
  expect(out.every((frame, i) => frame === frames[i])).toBe(true);
  return context.report() as {
    compared: number;
    staticShare: number;
    metres: { mean: number; p95: number };
    relative: { mean: number; p95: number };
  };
}

test('constant depth does not flicker', async () => {
  const { compared, metres } = await report({}, [depthFrame(), depthFrame(8, 6, 1)]);
  expect(compared).toBe(1);
  expect(metres.mean).toBe(0);
});

test('mean and 95th percentile of the change, in metres and relative', async () => {
  // Steady but for one jump from 2 m to 2.5 m and back in a hundred frames.
  const frames = Array.from({ length: 101 }, (_, seq) =>
    depthFrame(8, 6, seq, () => (seq % 2 ? 2.1 : 2)),
  );
  const { compared, metres, relative } = await report({}, frames);
  expect(compared).toBe(100);
  expect(metres.mean).toBeCloseTo(0.1, 5);
  expect(metres.p95).toBeCloseTo(0.1, 3);
  expect(relative.mean).toBeCloseTo((0.05 + 0.1 / 2.1) / 2, 5);
});

test('where the picture moves, a change of depth is no flicker', async () => {
  const frame = (seq: number): DepthFrame => ({
    ...depthFrame(8, 6, seq, (x) => (x < 4 ? 2 + seq : 3)),
    image: imageFrame(16, 12, seq, (x) => (x < 8 ? [seq * 50, 0, 0] : [seq * 4, 9, 9])),
  });
  const { metres, staticShare } = await report({}, [frame(0), frame(1), frame(2)]);
  expect(metres.mean).toBe(0);
  expect(staticShare).toBe(0.5);
});

test('invalid pixels are left out', async () => {
  const gaps = [0, Number.NaN, Number.POSITIVE_INFINITY];
  const frames = [0, 1].map((seq) => depthFrame(8, 6, seq, (x) => gaps[x - seq] ?? 2));
  const { metres, staticShare } = await report({}, frames);
  expect(metres.mean).toBe(0);
  expect(staticShare).toBe(0.5);
});

test('a change of size starts over', async () => {
  const { compared } = await report({}, [depthFrame(), depthFrame(4, 4, 1), depthFrame(4, 4, 2)]);
  expect(compared).toBe(1);
});

test('nothing to compare', async () => {
  expect(await report({}, [depthFrame()])).toEqual({ compared: 0 });
});
