import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { DepthEstimator, type EstimatorOptions } from '../../src/inference/estimator.ts';
import { startProcess } from '../support/cli.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { fixtureModel, type ManifestChanges, putModel } from '../support/models.ts';

let directory: string;
const open: DepthEstimator[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'estimator-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((estimator) => estimator.close()));
  rmSync(directory, { recursive: true });
});

async function estimator(
  model: Parameters<typeof putModel>[1],
  changes: ManifestChanges = {},
  options: Partial<EstimatorOptions> = {},
): Promise<DepthEstimator> {
  const path = putModel(directory, model, changes);
  const opened = await DepthEstimator.open({ model: path, ...options });
  open.push(opened);
  return opened;
}

/** A picture whose pixels differ in every channel. */
const varied = imageFrame(8, 6, 3, (x, y) => [x * 30, y * 40, x * y]);
const red = (value: number, seq = 0) => imageFrame(8, 6, seq, () => [value, 0, 0]);

/** `of` for each pixel of a picture. */
function expected(image: ImageFrame, of: (r: number, g: number, b: number) => number): number[] {
  return Array.from({ length: image.width * image.height }, (_, i) =>
    of(...(image.data.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number])),
  );
}

function close(data: Float32Array, values: readonly number[]): void {
  expect(data).toHaveLength(values.length);
  data.forEach((value, i) => {
    expect(value).toBeCloseTo(values[i] as number, 4);
  });
}

describe('of a picture that is wider than the view of the model', () => {
  const wide: ImageFrame = {
    ...imageFrame(160, 90, 0, (x) => [50 + x, 0, 0]),
    intrinsics: { fx: 100, fy: 100, cx: 79.5, cy: 44.5 },
    truth: depthFrame(160, 90, 0, (x) => 1 + x),
  };
  const view = { input: { view: '4:3' } };
  const whole = { left: 0, top: 0, width: 160, height: 90, source: { width: 160, height: 90 } };

  it('the centre is seen', async () => {
    const frame = await (await estimator('metres', view)).estimate(wide);
    expect(frame).toMatchObject({ width: 8, height: 6 });
    expect(frame.view).toEqual({ ...whole, left: 20, width: 120 });
    expect(frame).not.toHaveProperty('picture');
  });

  it('or all of it, squeezed', async () => {
    const squeezed = await estimator('metres', view, { cover: 'squeeze', keepPicture: true });
    const frame = await squeezed.estimate(wide);
    expect(frame).toMatchObject({ width: 8, height: 6, view: whole });
    expect(frame.intrinsics?.fx).toBeCloseTo(5);
    expect(frame.picture).toBe(wide);
  });

  it('or all of it in two views, merged', async () => {
    const twice = await estimator('metres', view, { cover: 'two-views' });
    const frame = await twice.estimate(wide);
    expect(frame).toMatchObject({ width: 11, height: 6, view: whole });
    expect(frame.image).toMatchObject({ width: 11, height: 6, view: whole });
    expect(frame.truth).toMatchObject({ width: 160, height: 90 });
    // The model gives a hundredth of red, which rises by one per column of the picture.
    for (let x = 1; x < 10; x++) {
      const column = (x + 0.5) * (160 / 11) - 0.5;
      expect(frame.data[x + 22]).toBeCloseTo((50 + column) / 100, 1);
    }
  });

  it('a picture of the view’s shape is seen once', async () => {
    const twice = await estimator('metres', view, { cover: 'two-views' });
    expect(await twice.estimate(imageFrame(80, 60))).toMatchObject({ width: 8, height: 6 });
    expect(await twice.estimate(varied)).toMatchObject({ width: 8, height: 6 });
  });
});

describe('a depth frame', () => {
  it('equals a direct run of ONNX Runtime, bit for bit', async () => {
    const session = await ort.InferenceSession.create(fixtureModel('metres'));
    const feed = new ort.Tensor('uint8', varied.data, [1, 6, 8, 3]);
    const { depth } = await session.run({ picture: feed });
    const frame = await (await estimator('metres')).estimate(varied);
    expect(frame.data).toEqual(depth!.data);
    await session.release();
  });

  it('keeps what the picture knows, and says how it was made', async () => {
    const depth = await estimator('metres', { output: { range: [0.5, 2] } });
    const intrinsics = { fx: 8, fy: 8, cx: 3.5, cy: 2.5 };
    const picture = { ...varied, intrinsics, timings: { capture: 1 } };
    const frame = await depth.estimate(picture);
    expect(frame).toMatchObject({
      kind: 'depth',
      seq: 3,
      pts: varied.pts,
      capturedAt: varied.capturedAt,
      source: 'test',
      width: 8,
      height: 6,
      intrinsics,
      range: [0.5, 2],
      model: { name: 'metres', sha256: depth.model.sha256 },
      timings: { capture: 1, 'estimate-depth': expect.any(Number) as number },
    });
    expect(frame.image).toBe(picture);
    // The frame's own bytes were not given away.
    expect(varied.data).toHaveLength(144);
  });

  it('has an array of its own', async () => {
    const depth = await estimator('metres');
    const [a, b] = await Promise.all([depth.estimate(red(100)), depth.estimate(red(200))]);
    expect(a.data[0]).toBeCloseTo(1);
    expect(b.data[0]).toBeCloseTo(2);
    expect(a.data.buffer).not.toBe(b.data.buffer);
  });

  it('is made from a picture without a pipeline too', async () => {
    const { width, height, data } = varied;
    const depth = await estimator('metres');
    const frame = await depth.estimate({ width, height, data, format: 'rgb' });
    expect(frame).toMatchObject({ seq: 0, pts: 0n, source: 'picture' });
    expect(frame.data).toEqual((await depth.estimate(varied)).data);
  });

  it('does not depend on alpha', async () => {
    const data = Uint8Array.from({ length: 8 * 6 * 4 }, (_, i) =>
      i % 4 === 3 ? i : (varied.data[(i >> 2) * 3 + (i % 4)] as number),
    );
    const depth = await estimator('metres');
    const frame = await depth.estimate({ ...varied, format: 'rgba', data });
    expect(frame.data).toEqual((await depth.estimate(varied)).data);
  });
});

describe('a model without pre-processing inside', () => {
  it('gets its channels, range, mean and deviation', async () => {
    const mean = [0.4, 0.5, 0.6];
    const std = [0.1, 0.2, 0.4];
    const depth = await estimator('planar', { input: { channels: 'BGR', mean, std } });
    const { data } = await depth.estimate(varied);
    const channel = (byte: number, i: number) => (byte / 255 - mean[i]!) / std[i]!;
    const wanted = expected(
      varied,
      (r, g, b) => channel(b, 0) + 10 * channel(g, 1) + 100 * channel(r, 2) + 1000,
    );
    data.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i] as number, 2);
    });
  });

  it('keeps pictures apart when several wait', async () => {
    const depth = await estimator('planar');
    const pictures = Array.from({ length: 20 }, (_, i) => red(i * 10, i));
    const frames = await Promise.all(pictures.map((picture) => depth.estimate(picture)));
    frames.forEach((frame, i) => {
      expect(frame.data[0]).toBeCloseTo(1000 + (i * 10) / 255, 2);
    });
  });
});

describe('what the output means', () => {
  it('inverse-relative: the nearest 1, the farthest 10, without a unit', async () => {
    const depth = await estimator('inverse');
    const { data } = await depth.estimate(varied);
    expect(data[0]).toBeCloseTo(10, 4);
    expect(data[7]).toBeCloseTo(1, 4);
  });

  it('inverse-relative, calibrated: metres', async () => {
    const depth = await estimator('inverse', { output: { scale: 2, shift: 0.5 } });
    const { data } = await depth.estimate(varied);
    close(
      data,
      expected(varied, (r) => 1 / ((2 * r) / 255 + 0.5)),
    );
  });

  it('disparity: baseline × focal length over it', async () => {
    const depth = await estimator('inverse', { output: { meaning: 'disparity', scale: 0.5 } });
    const { data } = await depth.estimate(varied);
    close(
      data,
      expected(varied, (r) => (r === 0 ? 0 : 0.5 / (r / 255))),
    );
  });

  it('log: its exponential', async () => {
    const { data } = await (await estimator('log')).estimate(varied);
    close(
      data,
      expected(varied, (r) => Math.exp(0.01 * r - 1)),
    );
  });

  it('what is not a depth is invalid', async () => {
    const { data } = await (await estimator('invalid')).estimate(varied);
    close(
      data,
      expected(varied, (r) => (r >= 200 || r <= 100 ? 0 : 0.01 * r - 1)),
    );
  });
});

describe('geometry', () => {
  it('a model that gives a smaller picture: intrinsics follow', async () => {
    const depth = await estimator('open-size');
    const intrinsics = { fx: 8, fy: 8, cx: 3.5, cy: 2.5 };
    const frame = await depth.estimate({ ...varied, intrinsics });
    expect(frame).toMatchObject({ width: 4, height: 3 });
    expect(frame.intrinsics).toEqual({ fx: 4, fy: 4, cx: 1.5, cy: 1 });
  });

  it('of a wider picture the model sees the centre', async () => {
    const depth = await estimator('metres', { input: { view: '1:1' } });
    // Black outside the centre square, bright in it.
    const picture = imageFrame(64, 24, 0, (x) => (x >= 20 && x < 44 ? [200, 0, 0] : [0, 0, 0]));
    const intrinsics = { fx: 48, fy: 48, cx: 31.5, cy: 11.5 };
    const frame = await depth.estimate({ ...picture, intrinsics });
    close(
      frame.data,
      Array.from({ length: 48 }, () => 2),
    );
    expect(frame.image).toMatchObject({ width: 8, height: 6 });
    expect(frame.intrinsics!.fx).toBeCloseTo(48 * (8 / 24));
    expect(frame.intrinsics!.fy).toBeCloseTo(48 * (6 / 24));
    expect(frame.intrinsics!.cx).toBeCloseTo(3.5);
  });

  it('any view: the whole picture', async () => {
    const depth = await estimator('metres');
    const picture = imageFrame(16, 6, 0, (x) => (x < 8 ? [200, 0, 0] : [100, 0, 0]));
    const { data } = await depth.estimate(picture);
    expect(data[0]).toBeCloseTo(2, 1);
    expect(data[7]).toBeCloseTo(1, 1);
  });
});

describe('a model that does not fit its manifest', () => {
  const fails = async (
    model: Parameters<typeof putModel>[1],
    changes: ManifestChanges,
    ...messages: RegExp[]
  ) => {
    const error = await estimator(model, changes).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'DepthlineError', code: 'MODEL' });
    for (const message of messages) expect((error as Error).message).toMatch(message);
  };
  const has = /but the model has input "picture": uint8 \[1, 6, 8, 3\]; output "depth": float32/;

  it('another input name', () =>
    fails('metres', { input: { name: 'rgb' } }, /manifest names the input "rgb"/, has));

  it('another output name', () =>
    fails('metres', { output: { name: 'y' } }, /manifest names the output "y"/, has));

  it('another type', () =>
    fails('metres', { input: { dtype: 'float32' } }, /says that the input is float32/, has));

  it('another size', () =>
    fails('metres', { input: { width: 224, height: 224 } }, /224 wide and 224 high/, has));

  it('another layout', () =>
    fails(
      'metres',
      { input: { layout: 'NCHW' } },
      /the input is NCHW, 8 wide/,
      has,
      /correct .*yaml/,
    ));

  it('no picture of depth', () =>
    fails(
      'colour',
      {},
      /output "other" must be one float32 or float16 picture, and is float32 \[1, 3, 6, 8\]/,
    ));

  it('two inputs', () =>
    fails('two-inputs', {}, /input "gain": float32 \[1\].*only models with one input/));
});

describe('a float16 model gives the depth of its float32 twin', () => {
  const normal = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], range: [0, 4] };

  it.each([
    ['half-in', {}],
    ['half-out', {}],
    ['half', {}],
    ['half', normal],
  ] as const)('%s %o', async (model, input) => {
    const twin = await (await estimator('mean', { input })).estimate(varied);
    const frame = await (await estimator(model, { input })).estimate(varied);
    expect(Math.max(...twin.data)).toBeGreaterThan(0.3);
    frame.data.forEach((value, i) => {
      expect(Math.abs(value - twin.data[i]!)).toBeLessThan(1e-3 * Math.max(1, twin.data[i]!));
    });
  });
});

it('no provider that is there: says what to do', async () => {
  const opening = estimator('metres', {}, { providers: ['tensorrt'] });
  await expect(opening).rejects.toMatchObject({
    code: 'MODEL',
    message: expect.stringMatching(
      /tensorrt may be missing.*providers: \[cpu\] always works/,
    ) as string,
  });
});

it('a provider that is not there: says so once, and takes the next', async () => {
  const warnings: string[] = [];
  const log = { info() {}, warn: (text: string) => void warnings.push(text) };
  const providers = ['tensorrt', 'cuda', 'cpu'] as const;
  const depth = await estimator('metres', {}, { providers, log, workers: 2 });
  expect(warnings).toEqual([
    expect.stringMatching(/^tensorrt cannot be used, cuda is: .*/) as string,
    expect.stringMatching(/^cuda cannot be used, cpu is: .*/) as string,
  ]);
  const wanted = await (await estimator('metres')).estimate(varied);
  expect((await depth.estimate(varied)).data).toEqual(wanted.data);
});

it('another build of the binding, in a folder of its own', async () => {
  const folder = join(directory, 'binding');
  const own = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  cpSync(join(own, 'bin/napi-v6', process.platform, process.arch), folder, { recursive: true });
  const path = putModel(directory, 'metres');
  const module = (name: string) =>
    JSON.stringify(new URL(`../../dist/inference/${name}.js`, import.meta.url).href);
  const script = `
    import { readFileSync } from 'node:fs';
    import { DepthEstimator } from ${module('estimator')};
    import { providerProblems } from ${module('model-check')};
    // As a run does first, in its main thread.
    await providerProblems(['tensorrt', 'cpu'], process.argv[1]);
    const engine = process.argv[1] ? { name: 'onnxruntime', binding: process.argv[1] } : undefined;
    const estimator = await DepthEstimator.open({ model: ${JSON.stringify(path)}, ...(engine && { engine }) });
    const picture = { width: 8, height: 6, format: 'rgb', data: new Uint8Array(144).fill(100) };
    const { data } = await estimator.estimate(picture);
    const maps = readFileSync('/proc/self/maps', 'utf8').match(/\\S+(?:onnxruntime_binding|libonnxruntime)\\S*/g);
    console.log(data[0].toFixed(2), [...new Set(maps)].sort().join(' '));
    if (engine) await DepthEstimator.open({ model: ${JSON.stringify(path)} }).catch(({ code, message }) => console.log(code, message));`;
  const run = (args: string[], env = {}) =>
    startProcess(process.execPath, ['--input-type=module', '-e', script, '--', ...args], { env })
      .finished;
  const files = ['libonnxruntime.so.1', 'onnxruntime_binding.node'].map((f) => join(folder, f));
  const [byOption, byVariable] = await Promise.all([
    run([folder]),
    run([], { DEPTHLINE_ONNXRUNTIME: folder }),
  ]);
  const [loaded, refused] = byOption.stdout.split('\n');
  expect(loaded).toBe(`1.11 ${files.join(' ')}`);
  // Its library would be that of the first build, whatever the second has.
  expect(refused).toMatch(/^CONFIG .* cannot be loaded, since .*: a process has one build/);
  expect(byVariable.stdout).toBe(`${loaded}\n`);
});

it('a model that is no model', async () => {
  const path = putModel(directory, 'metres');
  rmSync(path);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(path, 'text');
  await expect(DepthEstimator.open({ model: path })).rejects.toMatchObject({
    code: 'MODEL',
    message: expect.stringMatching(
      /metres.onnx cannot be loaded: .*check that it is a complete ONNX model/s,
    ) as string,
  });
});

it('fails on one picture and goes on', async () => {
  const depth = await estimator('fails');
  await expect(depth.estimate(red(120))).rejects.toMatchObject({
    code: 'MODEL',
    message: expect.stringMatching(/^fails failed: .*out of data bounds/) as string,
  });
  expect((await depth.estimate(red(9))).data[0]).toBe(1);
});

it('does not keep a program alive that forgets to close it', async () => {
  const path = putModel(directory, 'metres');
  const module = new URL('../../src/inference/estimator.ts', import.meta.url);
  const script = `
    import { DepthEstimator } from ${JSON.stringify(module.href)};
    const estimator = await DepthEstimator.open({ model: ${JSON.stringify(path)}, workers: 2 });
    const picture = { width: 8, height: 6, format: 'rgb', data: new Uint8Array(144).fill(100) };
    const { data } = await estimator.estimate(picture);
    console.log(data[0].toFixed(2));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const { code, stdout, stderr } = await startProcess(process.execPath, args).finished;
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '1.11\n', stderr: '' });
});
