import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { StereoFrame } from '../../../src/core/frame.ts';
import { eyeOf } from '../../../src/depth/eye.ts';
import { findModel } from '../../../src/inference/model-files.ts';
import type { DisparityCheck } from '../../../src/inference/stereo/protocol.ts';
import {
  StereoEstimator,
  type StereoEstimatorOptions,
} from '../../../src/inference/stereo/stereo-estimator.ts';
import { imageFrame, stereoFrame } from '../../../src/testing/sample-frames.ts';
import { type ManifestChanges, putModel } from '../../support/models.ts';

const models = mkdtempSync(join(tmpdir(), 'stereo-'));
const pairs = putModel(models, 'pairs');
let opened: StereoEstimator | undefined;

afterEach(() => opened?.close());
afterAll(() => rmSync(models, { recursive: true }));

async function open(options: Partial<StereoEstimatorOptions> = {}): Promise<StereoEstimator> {
  opened = await StereoEstimator.open({ model: pairs, ...options });
  return opened;
}

const [width, height] = [32, 24];
const scene = (disparity = 2, changes: Partial<StereoFrame> = {}) => ({
  ...stereoFrame(width, height, 0, disparity),
  ...changes,
});

/** What stands inside the picture, two pixels from its edges and visible to both eyes. */
function inside(data: Float32Array, size: { width: number; height: number }): number[] {
  const values = [];
  for (let y = 2; y < size.height - 2; y++)
    for (let x = 8; x < size.width - 2; x++) values.push(data[y * size.width + x] as number);
  return values;
}

test('metres are baseline × fx / disparity', async () => {
  const estimator = await open();
  const pair = scene(2);
  const depth = await estimator.estimate(pair);
  expect(depth).toMatchObject({ kind: 'depth', width, height, range: [0.1, 30] });
  expect(depth.image?.data).toBe(pair.left.data);
  for (const metres of inside(depth.data, depth)) expect(metres).toBeCloseTo((0.1 * 14) / 2, 5);
  const farther = await estimator.estimate(scene(1, { baseline: 0.3 }));
  for (const metres of inside(farther.data, depth)) expect(metres).toBeCloseTo(0.3 * 14, 4);
});

test('a provider that is not there is reported once, and the next is used', async () => {
  const pair = scene(2);
  const wanted = await (await open()).estimate(pair);
  await opened?.close();
  const warnings: string[] = [];
  const log = { info() {}, warn: (text: string) => void warnings.push(text) };
  const estimator = await open({ providers: ['tensorrt', 'cpu'], log, workers: 2 });
  expect(warnings).toEqual([expect.stringMatching(/^tensorrt cannot be used, cpu is: /)]);
  expect((await estimator.estimate(pair)).data).toEqual(wanted.data);
  await expect(StereoEstimator.open({ model: pairs, providers: ['cuda'] })).rejects.toThrow(
    /cuda may be missing.*providers: \[cpu\] always works/,
  );
});

test('the offset of the principal points counts', async () => {
  const estimator = await open();
  const { data } = await estimator.estimate(scene(2, { offset: 3 }));
  for (const metres of inside(data, scene())) expect(metres).toBeCloseTo((0.1 * 14) / 5, 5);
});

test('points that the right eye cannot see are invalid, unless nothing is checked', async () => {
  const pair = scene(2);
  // Pictures of nothing in common: nearer and farther surfaces side by side everywhere.
  const right = imageFrame(width, height, 0, (x, y) => [(x * 97 + y * 57) & 255, (x * y) & 255, 0]);
  const invalid = async (check: DisparityCheck) => {
    const { data } = await (await open({ check })).estimate({ ...pair, right });
    await opened?.close();
    return data.filter((value) => value === 0).length;
  };
  expect(await invalid('hidden')).toBeGreaterThan((await invalid('none')) + 20);
});

test('left-right drops what the right eye contradicts', async () => {
  const estimator = await open({ check: 'left-right' });
  const pair = scene(2);
  // The right eye sees something else in a patch.
  const right = { ...pair.right, data: pair.right.data.slice() };
  for (let y = 8; y < 16; y++) right.data.fill(255, 3 * (y * width + 12), 3 * (y * width + 20));
  const depth = await estimator.estimate({ ...pair, right });
  expect(depth.data[12 * width + 18]).toBe(0);
  expect(depth.data[4 * width + 18]).toBeCloseTo(0.7, 5);
});

test('depth outside the range, and disparity at the limit of the network, are invalid', async () => {
  const near = await (await open({ range: [1, 2] })).estimate(scene(2));
  expect(inside(near.data, near).every((value) => value === 0)).toBe(true);
  await opened?.close();
  putModel(models, 'pairs', { output: { largest: 2 } }, 'limited');
  const limited = await (await open({ model: join(models, 'limited.onnx') })).estimate(scene(2));
  expect(inside(limited.data, limited).every((value) => value === 0)).toBe(true);
});

test('an output of half the size gives the same metres', async () => {
  const half = await open({ model: putModel(models, 'pairs-half') });
  const depth = await half.estimate(scene(2));
  expect(depth).toMatchObject({ width: 16, height: 12 });
  expect(depth.intrinsics?.fx).toBeCloseTo(7, 9);
  for (const metres of inside(depth.data, depth)) expect(metres).toBeCloseTo(0.7, 5);
});

test('pictures of another size are scaled; intrinsics, truth and metres follow', async () => {
  const estimator = await open({ keepPicture: true });
  const big = imageFrame(64, 48);
  const pair: StereoFrame = {
    ...scene(),
    ...{ width: 64, height: 48, left: big, right: big, baseline: 0.2, offset: 4 },
    intrinsics: { fx: 50, fy: 50, cx: 31.5, cy: 23.5 },
    truth: { width: 64, height: 48, data: new Float32Array(64 * 48).fill(3) },
  };
  const depth = await estimator.estimate(pair);
  expect(depth).toMatchObject({ width, height, truth: { width: 64, height: 48 } });
  expect(depth.intrinsics?.fx).toBeCloseTo(25, 6);
  expect(depth.picture).toMatchObject({ width: 64, height: 48, data: big.data });
  // The pictures are the same, so all disparity is 0, and the offset alone gives metres.
  const found = await estimator.disparity({ ...scene(2) });
  expect(inside(found.data, found).every((value) => value === 2)).toBe(true);
});

test('RGBA pictures are taken without their alpha', async () => {
  const estimator = await open();
  const pair = scene(2);
  const rgba = (data: Uint8Array) => {
    const out = new Uint8Array(width * height * 4).fill(200);
    for (let i = 0; i < width * height; i++) out.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    return { width, height, format: 'rgba' as const, data: out };
  };
  const depth = await estimator.estimate({
    ...pair,
    left: rgba(pair.left.data),
    right: rgba(pair.right.data),
  });
  expect(depth.data).toEqual((await estimator.estimate(pair)).data);
});

test('what has no baseline or no intrinsics cannot become metres', async () => {
  const estimator = await open();
  const { baseline: _, ...unknown } = scene();
  await expect(estimator.estimate(unknown)).rejects.toThrow('no baseline');
  const { intrinsics: __, ...blind } = scene();
  await expect(estimator.estimate(blind)).rejects.toThrow('no intrinsics');
});

test('several pairs at a time keep their results apart', async () => {
  const estimator = await open({ workers: 2 });
  const depths = await Promise.all([1, 2, 3, 4, 5].map((d) => estimator.estimate(scene(d))));
  for (const [i, { data }] of depths.entries())
    expect(data[10 * width + 20]).toBeCloseTo(1.4 / (i + 1), 5);
});

test('each kind of model names the operator for it', async () => {
  await expect(findModel(pairs, models)).rejects.toThrow(/for stereo pairs; use "estimate-stereo"/);
  await expect(open({ model: putModel(models, 'metres') })).rejects.toThrow(
    /for single pictures; use "estimate-depth"/,
  );
});

test('a manifest that does not fit its model says what differs', async () => {
  const wrong = (name: string, changes: ManifestChanges) =>
    open({ model: putModel(models, 'pairs', changes, name) });
  await expect(wrong('a', { input: { left: 'links' } })).rejects.toThrow('the input "links"');
  await expect(wrong('b', { input: { width: 40 } })).rejects.toThrow('40 wide and 24 high');
  await expect(wrong('c', { output: { name: 'depth' } })).rejects.toThrow('the output "depth"');
});

test('the eyes of a pair are frames with their own principal points', () => {
  const truth = { width, height, data: new Float32Array(width * height) };
  const pair = scene(2, { offset: 1.5, truth });
  expect(eyeOf(pair, 'left')).toMatchObject({ kind: 'image', truth, intrinsics: { cx: 15.5 } });
  const right = eyeOf(pair, 'right');
  expect(right).toMatchObject({ seq: pair.seq, intrinsics: { cx: 17 } });
  expect(right.truth).toBeUndefined();
});
