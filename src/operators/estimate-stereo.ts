import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { SharedContext } from '../core/component-context.ts';
import type { StereoFrame } from '../core/frame.ts';
import { providerNames } from '../inference/engines/choice.ts';
import { workersProblems } from '../inference/engines/engine-options.ts';
import { providerProblems } from '../inference/model-check.ts';
import { modelPaths } from '../inference/model-files.ts';
import { disparityChecks } from '../inference/stereo/protocol.ts';
import { stereoModelProblems } from '../inference/stereo/stereo-check.ts';
import { defaultRange, StereoEstimator } from '../inference/stereo/stereo-estimator.ts';
import { findStereoModel } from '../inference/stereo/stereo-manifest.ts';
import { StereoWorkerDied } from '../inference/stereo/stereo-thread.ts';
import { mapAsync } from '../runtime/map-async.ts';
import { Turns } from '../runtime/turns.ts';

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('fastdepth-stereo')
    .describe('name of a model in models/, or path of an .onnx file with its manifest beside it'),
  check: z
    .enum(disparityChecks)
    .default('hidden')
    .describe(
      'which depth becomes invalid: hidden, that of points which the right eye cannot see, because they are beside its picture or behind a nearer surface; left-right, what the right eye contradicts, at twice the time; none: nothing',
    ),
  range: z
    .tuple([z.number().min(0), z.number().positive()])
    .refine(([near, far]) => near < far, { error: 'must rise' })
    .default([...defaultRange])
    .describe('depth outside it becomes invalid, metres'),
  cover: z
    .enum(['centre', 'squeeze'])
    .default('centre')
    .describe(
      'of pictures whose shape is not that of the network: their centre, or all of them, squeezed',
    ),
  image: z
    .enum(['network', 'source'])
    .default('network')
    .describe(
      'picture beside the depth: what the network sees of the left eye, or the whole left picture as well, at its full size, as register needs it',
    ),
  providers: z
    .array(z.enum(providerNames))
    .min(1)
    .default(['cpu'])
    .describe(
      'ONNX Runtime execution providers, best first; one that is missing is reported, and the next is used',
    ),
  threads: z.int().min(1).max(64).default(1).describe('threads for one pair'),
  workers: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe('pairs processed in parallel, each by its own session'),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe(
      'when the model fails on a pair: end the run, or count the frame as failed. A worker that dies is restarted in both cases, and its frame counts as failed',
    ),
});

type Options = z.output<typeof options>;

/**
 * Depth of the left picture of each rectified pair by an ONNX network that finds its disparity:
 * metres = baseline × fx / disparity, with the intrinsics of this frame.
 *
 * In: a pair. Pictures of the network's size are used unchanged; of any other, the centre of its shape is
 * scaled to that size. Out: float32 metres in the network's output size with the left picture beside it,
 * invalid where `check` or `range` says so.
 */
export const estimateStereo = defineOperator({
  name: 'estimate-stereo',
  summary: 'Estimates metric depth from rectified stereo pairs with a network like FastDepth.',
  accepts: ['stereo'],
  emits: ['depth'],
  queued: true,
  options,
  examples: [
    {},
    { check: 'left-right', range: [0.3, 10] },
    { model: 'models/other-stereo.onnx', cover: 'squeeze', workers: 2, 'on-error': 'skip' },
  ],

  adds: ({ image }) => (image === 'source' ? ['picture'] : []),
  facts: () => ({ unit: 'm' }),

  reads: ({ model }, baseDirectory) =>
    modelPaths(model, baseDirectory).map((path) => ({ path, as: 'file', option: 'model' })),

  async check({ model, providers, workers }, { baseDirectory, thorough, arriving }) {
    const lacks = (['intrinsics', 'baseline'] as const).filter((one) => arriving[one] === false);
    const uncalibrated =
      lacks.length > 0
        ? [
            {
              path: [],
              message: `needs the ${lacks.join(' and the ')} of each pair to give metres; set "calibration" on the source, or "baseline" there and "intrinsics" on its left source if the cameras rectify their pictures`,
            },
          ]
        : [];
    return [
      ...(await stereoModelProblems(model, baseDirectory, thorough)),
      ...(await providerProblems(providers)),
      ...workersProblems(providers, workers),
      ...uncalibrated,
    ];
  },

  concurrency: async ({ workers }) => ({ workers, ahead: 0 }),

  async plan({ model, threads, workers, check, range, providers }, { baseDirectory }) {
    const { manifest, path, bytes } = await findStereoModel(model, baseDirectory);
    const { width, height } = manifest.input;
    return {
      model: manifest.name,
      file: path,
      expects: `pairs of ${width}×${height} ${manifest.input.channels}, rectified`,
      gives: 'metres',
      check,
      range: `${range[0]}…${range[1]} m`,
      ...{ workers, threads, providers },
      // Weights once per session; per pair its bytes, their copies in the worker, and its depth.
      memoryBytes: workers * (bytes + width * height * (6 + 12 + 4)),
    };
  },

  async create(options, context) {
    const { 'on-error': onError, ...model } = options;
    const { estimator, turns } = await context.share(JSON.stringify(model), (shared) =>
      openModel(options, shared),
    );
    let told = false;
    return mapAsync(
      (frame) => {
        const pair = frame as StereoFrame;
        if (!pair.rectified && !told) {
          told = true;
          context.log.warn(
            'the pairs are not rectified, and depth may be wrong everywhere; set "calibration" on the source',
          );
        }
        return estimator.estimate(pair, context.name);
      },
      {
        concurrency: options.workers,
        onError: (error) => (error instanceof StereoWorkerDied ? 'skip' : onError),
        turns,
        context,
      },
    );
  },
});

/** The model's workers, and their turns where several cameras use them. */
async function openModel(
  { model, check, range, cover, image, providers, threads, workers }: Options,
  context: SharedContext,
): Promise<{ readonly estimator: StereoEstimator; readonly turns: Turns }> {
  const estimator = await StereoEstimator.open({
    baseDirectory: context.baseDirectory,
    ...{ model, check, range, providers, threads, workers },
    squeeze: cover === 'squeeze',
    keepPicture: image === 'source',
    log: context.log,
    onRestart: (why) => {
      context.restarted(why);
      context.log.warn(`restarted an inference worker (${why})`);
    },
  });
  context.defer(() => estimator.close());
  return { estimator, turns: new Turns() };
}
