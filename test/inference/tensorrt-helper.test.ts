import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { tensorRtHelper } from '../support/engines.ts';
import { imageFrame } from '../support/frames.ts';
import { type FixtureModel, putModel } from '../support/models.ts';

// TensorRT itself is not here: a stand-in has its interface, and ONNX Runtime runs the network.

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tensorrt-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const picture = imageFrame(8, 6, 0, (x, y) => [x * 30, y * 40, x * y]);
const engines = () => readdirSync(directory).filter((name) => name.endsWith('.engine'));

async function depthBy(version: string, model: FixtureModel, args: string[] = []) {
  const path = putModel(directory, model);
  const command = [tensorRtHelper(version), '--cache', directory, ...args];
  const engine = { name: 'process', command, deadlineMs: 10_000, startWithinMs: 20_000 } as const;
  const both = await Promise.allSettled([
    DepthEstimator.open({ model: path, engine }),
    DepthEstimator.open({ model: path }),
  ]);
  const opened = both.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  try {
    const failure = both.find((one) => one.status === 'rejected');
    if (failure) throw failure.reason;
    const [ours, wanted] = await Promise.all(opened.map((one) => one.estimate(picture)));
    return { ours: [...ours!.data], wanted: [...wanted!.data] };
  } finally {
    await Promise.all(opened.map((one) => one.close()));
  }
}

describe.each(['8.2', '10.3'])('the helper for TensorRT %s, with a stand-in for it', (version) => {
  it.each(['metres', 'planar', 'half', 'half-out'] as const)('runs a model: %s', async (model) => {
    const { ours, wanted } = await depthBy(version, model);
    expect(ours).toEqual(wanted);
  });

  it('keeps the engine, by model, version, GPU and precision', async () => {
    await depthBy(version, 'metres');
    const [first = ''] = engines();
    const sha256 = '91b596cc1c867a4990d13ca1';
    expect(first).toBe(
      `${sha256}-trt${version.replace('.', '')}00-Stand-in--nvgpu--sm62-fp16.engine`,
    );
    await depthBy(version, 'metres', ['--precision', 'fp32']);
    expect(engines()).toEqual([first, first.replace('fp16', 'fp32')]);
    // One that is damaged is built again.
    writeFileSync(join(directory, first), 'half of an engine');
    const { ours, wanted } = await depthBy(version, 'metres');
    expect(ours).toEqual(wanted);
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('says why a model cannot be loaded', async () => {
    await expect(depthBy(version, 'metres', ['--device', '3'])).rejects.toThrow(
      /cannot load \S+metres.onnx: the GPU cannot be used: no CUDA-capable device is detected/,
    );
  });
});
