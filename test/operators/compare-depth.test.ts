import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { compareDepth } from '../../src/operators/compare-depth.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';

const withTruth = (seq: number, truth = 2): DepthFrame => ({
  ...depthFrame(8, 6, seq),
  truth: depthFrame(8, 6, seq, () => truth),
});

async function report(options: object, frames: DepthFrame[]) {
  const context = testContext();
  const out = await runOperator(compareDepth, options, frames, context);
  expect(out.every((frame, i) => frame === frames[i])).toBe(true);
  return context.report();
}

test('perfect depth', async () => {
  expect(await report({}, [withTruth(0), withTruth(1)])).toMatchObject({
    compared: 2,
    pixels: 96,
    delta1: 1,
    rmse: 0,
    absRel: 0,
  });
});

test('the mean over frames', async () => {
  // 2 m for 4 m: half of the truth, beyond every δ.
  const summary = await report({}, [withTruth(0), withTruth(1, 4)]);
  expect(summary).toMatchObject({ delta1: 0.5, delta3: 0.5, rmse: 1, mae: 1, absRel: 0.25 });
});

test('passes frames without truth, and counts them', async () => {
  const summary = await report({}, [withTruth(0), depthFrame(8, 6, 1), withTruth(2, 0)]);
  expect(summary).toMatchObject({ compared: 1, notCompared: 2 });
});

test('reports no errors without any truth', async () => {
  expect(await report({}, [depthFrame()])).toEqual({ compared: 0, notCompared: 1 });
});

test('truth of another size is read at the nearest pixel', async () => {
  const estimate = depthFrame(4, 2, 0, (x) => x + 1);
  const truth = depthFrame(8, 4, 0, (x) => Math.floor(x / 2) + 1);
  expect(await report({}, [{ ...estimate, truth }])).toMatchObject({ pixels: 8, rmse: 0 });
});

test('only truth within the range counts', async () => {
  const truth = depthFrame(8, 6, 0, (x) => [0.1, 2, 20][x] ?? 0);
  const summary = await report({ min: 0.5, max: 10 }, [{ ...depthFrame(8, 6), truth }]);
  expect(summary).toMatchObject({ pixels: 6, rmse: 0 });
});
