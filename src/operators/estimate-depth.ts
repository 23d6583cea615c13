import { z } from 'zod';
import { type ComponentContext, defineOperator } from '../core/component.ts';
import { type DepthFrame, derive, type ImageFrame } from '../core/frame.ts';
import type { Fusion } from '../core/fusion.ts';
import { mapAsync } from '../core/map-async.ts';
import { findModel, MissingManifest, type Model, viewAspect } from '../inference/manifest.ts';
import { suggestManifest } from '../inference/suggest-manifest.ts';
import { WorkerPool } from '../inference/worker-pool.ts';

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('fastdepth')
    .describe('name of a model in models/, or path of an .onnx file with a manifest beside it'),
  providers: z
    .array(z.enum(['cpu', 'cuda', 'tensorrt']))
    .min(1)
    .default(['cpu'])
    .describe('ONNX Runtime execution providers, best first'),
  threads: z.int().min(1).max(64).default(1).describe('intra-op threads per worker'),
  workers: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe('sessions, each in a thread of its own; more raise throughput, not latency'),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('when the model fails on a frame: end the run, or count the frame as failed'),
});

/**
 * Monocular depth of each picture by an ONNX network, FastDepth by default (Wofk et al., *FastDepth:
 * Fast Monocular Depth Estimation on Embedded Systems*, ICRA 2019).
 *
 * In: a picture. One of the network's size goes in untouched; of any other the centre part with
 * the aspect that the network was trained on is scaled to that size. Out: float32 metres in the
 * network's output size, with the picture beside it.
 */
export const estimateDepth = defineOperator({
  name: 'estimate-depth',
  summary: 'Estimates metric depth from a picture with FastDepth or another ONNX model.',
  accepts: ['image'],
  emits: ['depth'],
  queued: true,
  options,
  examples: [{ model: 'fastdepth' }, { model: 'fastdepth', workers: 2, threads: 1 }],

  async requires({ model }, { baseDirectory }): Promise<Fusion> {
    const { manifest } = await open(model, baseDirectory);
    const { width, height } = manifest.input;
    const view = viewAspect(manifest);
    return { do: 'resize', width, height, fit: 'stretch', on: 'auto', ...(view && { view }) };
  },

  async plan({ model, threads, workers, providers }, { baseDirectory }) {
    const { manifest, path } = await open(model, baseDirectory);
    const { input, output } = manifest;
    return {
      model: manifest.name,
      file: path,
      expects: `${input.width}×${input.height} ${input.channels} ${input.dtype}, a ${input.view} view`,
      gives: output.meaning,
      workers,
      threads,
      providers: providers.join(', '),
    };
  },

  async create(options, context) {
    const model = await open(options.model, context.baseDirectory);
    const pool = await WorkerPool.open(model, {
      workers: options.workers,
      threads: options.threads,
      providers: options.providers,
      onRestart: (why) => {
        context.restarted(why);
        context.log.warn(`an inference worker was started again: ${why}`);
      },
    });
    context.defer(() => pool.close());
    return estimate(pool, options.workers, options['on-error'], context);
  },
});

function estimate(
  pool: WorkerPool,
  workers: number,
  onError: 'fail' | 'skip',
  context: ComponentContext,
) {
  const { manifest, sha256 } = pool.model;
  const identity = { name: manifest.name, sha256 };
  const { width, height } = manifest.input;
  const view = viewAspect(manifest);
  const fits = (frame: ImageFrame) => frame.width === width && frame.height === height;
  return mapAsync(
    async (frame) => {
      const image = frame as ImageFrame;
      const seen = fits(image) ? image : await scaledTo(image, { width, height }, view);
      const { depth, ms, ...size } = await pool.infer(seen);
      const result: DepthFrame = {
        ...derive(seen),
        kind: 'depth',
        ...size,
        data: depth,
        image: seen,
        model: identity,
        timings: { ...frame.timings, [context.name]: ms },
        ...(manifest.output.range && { range: manifest.output.range }),
      };
      return result;
    },
    // One frame more than workers, so that the next one waits in a worker's mailbox.
    { concurrency: workers + 1, onError, context },
  );
}

async function scaledTo(frame: ImageFrame, size: { width: number; height: number }, view?: number) {
  const { fitImage } = await import('../imaging/fit.ts');
  return fitImage(frame, size, 'stretch', view);
}

async function open(model: string, baseDirectory: string): Promise<Model> {
  try {
    return await findModel(model, baseDirectory);
  } catch (error) {
    throw error instanceof MissingManifest ? await suggestManifest(error) : error;
  }
}
