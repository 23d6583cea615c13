import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { DepthEstimator, type EstimatorOptions } from '../../src/inference/estimator.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { defineCameras } from '../../src/pipeline/cameras.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { countingSource } from '../support/counting-source.ts';
import { imageFrame } from '../support/frames.ts';
import { type FixtureModel, putModel } from '../support/models.ts';

let directory: string;
const open: DepthEstimator[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'batch-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((estimator) => estimator.close()));
  rmSync(directory, { recursive: true });
});

async function estimator(model: FixtureModel, options: Partial<EstimatorOptions> = {}) {
  const opened = await DepthEstimator.open({ model: putModel(directory, model), ...options });
  open.push(opened);
  return opened;
}

const picture = (seed: number, format: 'rgb' | 'rgba' = 'rgb'): ImageFrame => {
  const frame = imageFrame(8, 6, seed, (x, y) => [(x * 5 + seed) % 99, (y * 11 + seed) % 256, x]);
  if (format === 'rgb') return frame;
  const data = Uint8Array.from({ length: 8 * 6 * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (frame.data[Math.floor(i / 4) * 3 + (i % 4)] as number),
  );
  return { ...frame, format: 'rgba', data };
};

describe('several pictures in one call', () => {
  it.each(['together', 'open-size', 'fails-together'] as const)(
    'get bit for bit the depth that each gets alone: %s',
    async (model) => {
      const [alone, many] = [await estimator(model), await estimator(model, { batch: 4 })];
      const pictures = [0, 1, 2, 3, 4, 5].map((n) => picture(n * 7, n === 2 ? 'rgba' : 'rgb'));
      const wanted = [];
      for (const one of pictures) wanted.push((await alone.estimate(one)).data);
      const got = await Promise.all(pictures.map((one) => many.estimate(one)));
      expect(got.map(({ data }) => data)).toEqual(wanted);
      // Six pictures that are there at the same time: four, and two.
      expect(many.calls).toBe(2);
      expect(alone.calls).toBe(6);
    },
  );

  it('do not cost each other their depth when the model fails on one', async () => {
    const model = await estimator('fails-together', { batch: 4 });
    const red = (value: number) => imageFrame(8, 6, 0, () => [value, 0, 0]);
    const results = await Promise.allSettled([9, 120, 19].map((n) => model.estimate(red(n))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const near = results.map((one) => one.status === 'fulfilled' && one.value.data[0]);
    expect([near[0], near[2]]).toEqual([1, 2]);
    expect((await model.estimate(red(29))).data[0]).toBe(3);
  });

  it('need a model that takes several, and gives depth of each', async () => {
    await expect(estimator('metres', { batch: 2 })).rejects.toThrow(
      /metres\.onnx takes one picture at a time, not 2: its batch is not dynamic; export it with one/,
    );
    await expect(estimator('one-of-all', { batch: 2 })).rejects.toThrow(
      /one-of-all\.onnx gives \[1, 6, 8, 1\] for 2 pictures, and not a depth for each; set batch: 1/,
    );
  });
});

describe('cameras that share a model with a dynamic batch', () => {
  const names = ['a', 'b', 'c', 'd'];

  /** The depth of each frame of each camera, and what the run says of the model. */
  async function depthOf(batch: number | undefined, frames = 12) {
    const seen = new Map<string, Float32Array[]>(names.map((name) => [name, []]));
    const source = countingSource({ kind: 'image', width: 8, height: 6, frames, everyMs: 1 });
    const summary = await runPipeline(
      defineCameras({
        cameras: Object.fromEntries(names.map((name) => [name, source])),
        operators: [
          {
            operator: estimateDepth({
              model: putModel(directory, 'together'),
              ...(batch !== undefined && { batch }),
            }),
            queue: { limit: 1, whenFull: 'block' },
          },
        ],
        sinks: [discard()],
      }),
      {
        onFrame(frame, branch) {
          if (branch === undefined)
            seen.get(frame.camera as string)?.push((frame as DepthFrame).data);
        },
      },
    );
    return { seen, summary };
  }

  it('have their pictures in one call, each with its own depth, in fairness', async () => {
    const [alone, together] = [await depthOf(undefined), await depthOf(4)];
    expect(together.seen).toEqual(alone.seen);
    const { branches, components, violations } = together.summary;
    expect(violations).toEqual([]);
    expect(branches.map(({ delivered }) => delivered)).toEqual([12, 12, 12, 12]);
    const model = components['estimate-depth'] as { calls: number; mostPicturesInACall: number };
    expect(model.mostPicturesInACall).toBe(4);
    // 48 frames: while a call is on, those of the others come.
    expect(model.calls).toBeLessThan(36);
    expect(alone.summary.components['estimate-depth']).toBeUndefined();
  });
});
