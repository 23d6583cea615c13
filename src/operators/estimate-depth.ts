import { type OperatorFunction, takeUntil } from 'rxjs';
import { z } from 'zod';
import { withReader } from '../core/capture-stream.ts';
import { defineOperator } from '../core/component.ts';
import type { SharedContext } from '../core/component-context.ts';
import type { Frame, ImageFrame } from '../core/frame.ts';
import type { Fusion } from '../core/fusion.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { covers } from '../inference/cover.ts';
import { describeSeen } from '../inference/describe-seen.ts';
import { providerNames } from '../inference/engines/choice.ts';
import { describeEngine, engineNeeds } from '../inference/engines/describe-engine.ts';
import {
  engineChoice,
  engineOptions,
  engineProblems,
} from '../inference/engines/engine-options.ts';
import { DepthEstimator, geometry } from '../inference/estimator.ts';
import { EngineFailed } from '../inference/inference-thread.ts';
import { modelProblems, providerProblems } from '../inference/model-check.ts';
import { findModel, modelPaths, verifyModel } from '../inference/model-files.ts';
import { isRelative } from '../inference/tensors.ts';
import { chooseSettings } from '../inference/tuned-settings.ts';
import { mostBatch } from '../inference/tuning-cache.ts';
import { mapAsync } from '../runtime/map-async.ts';
import { Turns } from '../runtime/turns.ts';

const fields = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('fastdepth')
    .describe('name of a model in models/, or path of an .onnx file with its manifest beside it'),
  ...engineOptions,
  providers: z
    .array(z.enum(providerNames))
    .min(1)
    .default(['cpu'])
    .describe(
      'ONNX Runtime execution providers, best first; one that is missing is reported, and the next is used',
    ),
  threads: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'threads for one picture; more threads lower the latency. Default: what "depthline tune" found, else 1',
    ),
  workers: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe(
      'pictures processed in parallel, each by its own session; more workers raise the throughput. Default: what "depthline tune" found, else 1',
    ),
  batch: z
    .int()
    .min(1)
    .max(mostBatch)
    .optional()
    .describe(
      'most pictures of several cameras in one call of the model, which needs a dynamic batch for that. Default: what "depthline tune" found, else 1',
    ),
  tuned: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('auto: use the settings that "depthline tune" found for this model on this machine'),
  image: z
    .enum(['network', 'source'])
    .default('network')
    .describe(
      'picture beside the depth: what the network sees, or the source’s own as well, at its full size, as register needs it',
    ),
  cover: z
    .enum(covers)
    .default('centre')
    .describe(
      'of a picture whose shape is not that of the network’s view: its centre; all of it, squeezed into that shape; or all of it in two views that overlap, at twice the time',
    ),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe(
      'when the model fails on a picture: end the run, or count the frame as failed. A worker that dies is restarted in both cases, and its frame counts as failed',
    ),
});

const options = fields.superRefine((given, { addIssue }) => {
  for (const { path, message } of engineProblems(given))
    addIssue({ code: 'custom', path: [...path], message });
  const { engine, batch = 1 } = given;
  if (batch > 1 && engine !== 'onnxruntime') {
    const message = `${engine} gets one picture at a time; leave it out${engine === 'kserve' ? ', and let the server put requests together' : ''}`;
    addIssue({ code: 'custom', path: ['batch'], message });
  }
});

type Options = z.output<typeof options>;

/**
 * Monocular depth of each picture by an ONNX network, FastDepth by default (Wofk et al., *FastDepth:
 * Fast Monocular Depth Estimation on Embedded Systems*, ICRA 2019).
 *
 * In: a picture. A picture of the network's size is used unchanged; of any other, the centre with the
 * aspect that the network was trained on is scaled to that size. Out: float32 metres in the
 * network's output size, with the picture beside it; relative depth from a network that is not calibrated,
 * 1 at the nearest pixel of each frame and 10 at the farthest, which says only what is farther.
 */
export const estimateDepth = defineOperator({
  name: 'estimate-depth',
  summary: 'Estimates metric depth from a picture with FastDepth or another ONNX model.',
  accepts: ['image'],
  emits: ['depth'],
  queued: true,
  options,
  examples: [
    { model: 'fastdepth' },
    { model: 'fastdepth', workers: 2, 'on-error': 'skip' },
    { model: 'fastdepth', image: 'source' },
    { model: 'fastdepth', cover: 'two-views' },
    { model: 'models/other.onnx', providers: ['cuda', 'cpu'], threads: 4, batch: 8 },
    { engine: 'process', process: { command: ['./my-helper', '--fp16'], deadline: '500ms' } },
    { engine: 'kserve', kserve: { url: 'http://127.0.0.1:8000' }, workers: 2 },
  ],

  wantsWhole: ({ image, cover }) => image === 'source' || cover === 'two-views',
  adds: ({ image }) => (image === 'source' ? ['picture'] : []),

  reads: ({ model }, baseDirectory) =>
    modelPaths(model, baseDirectory).map((path) => ({ path, as: 'file', option: 'model' })),

  async check(options, { baseDirectory, thorough }) {
    const { model, providers, batch } = options;
    const engine = engineChoice(options);
    const needs = await engineNeeds(engine, baseDirectory);
    // What other engines can load, only they know.
    const ours = engine.name === 'onnxruntime' && needs.length === 0;
    const binding = ours && engine.binding ? resolvePath(baseDirectory, engine.binding) : undefined;
    return [
      ...(await modelProblems(model, baseDirectory, {
        thorough: thorough && ours,
        batch,
        binding,
      })),
      ...(ours ? await providerProblems(providers, binding) : []),
      ...needs,
    ];
  },

  async facts({ model }, { baseDirectory }) {
    const found = await findModel(model, baseDirectory).catch(() => undefined);
    if (!found) return { unit: undefined };
    return { unit: isRelative(found.manifest.output) ? 'relative' : 'm' };
  },

  async requires({ model, cover }, { baseDirectory }): Promise<Fusion> {
    const { manifest } = await findModel(model, baseDirectory);
    const { width, height, view } = geometry(manifest);
    const fusion = { do: 'resize', width, height, fit: 'stretch', on: 'auto' } as const;
    return view === undefined || cover !== 'centre' ? fusion : { ...fusion, view };
  },

  async concurrency(options, { baseDirectory, queue }) {
    // The model's file is read only if what was found for it matters.
    const workers = options.workers ?? (await resolve(options, baseDirectory)).chosen.workers;
    return { workers, ahead: ahead(queue) };
  },

  async network(options, { baseDirectory }) {
    const { tuned: _, ...chosen } = (await resolve(options, baseDirectory)).chosen;
    const engine = engineChoice(options);
    return { model: options.model, engine, providers: options.providers, ...chosen };
  },

  async plan(options, { baseDirectory, picture }) {
    const { found, chosen } = await resolve(options, baseDirectory);
    const { manifest, path, bytes } = found;
    const { input, output } = manifest;
    const pixels = input.width * input.height;
    const remote = options.engine === 'kserve';
    return {
      model: manifest.name,
      file: path,
      expects: `${input.width}×${input.height} ${input.channels}, ${input.view === 'any' ? 'any view' : `a ${input.view} view`}`,
      sees: describeSeen(geometry(manifest), options.cover, picture),
      gives: isRelative(output) ? 'relative depth, without a unit' : 'metres',
      ...(output.range && { range: `${output.range[0]}…${output.range[1]} m` }),
      workers: chosen.workers,
      // A server has the weights, and threads of its own.
      ...(!remote && { threads: chosen.threads }),
      ...(options.batch !== undefined && { 'most pictures in a call': options.batch }),
      ...(chosen.tuned !== undefined && { tuned: chosen.tuned }),
      ...describeEngine(engineChoice(options), options.providers),
      // Weights once per session; per picture its bytes, their copy in the worker, and its depth.
      memoryBytes: chosen.workers * ((remote ? 0 : bytes) + pixels * (3 + 3 + 4)),
    };
  },

  async create(options, context) {
    const { 'on-error': onError, ...model } = options;
    const { estimator, turns } = await context.share(JSON.stringify(model), (shared) =>
      openModel(options, shared),
    );
    if (estimator.size) context.gives(estimator.size);
    if (isRelative(estimator.model.manifest.output)) context.summary(() => ({ unit: 'relative' }));
    const estimate = mapAsync((frame) => estimator.estimate(frame as ImageFrame, context.name), {
      concurrency: (queue) => estimator.workers + ahead(queue),
      // A worker's death is not blamed on the picture until the pool gives up, and then the run ends.
      onError: (error) => (error instanceof EngineFailed ? 'skip' : onError),
      turns,
      context,
    });
    // Even where single failures are skipped, workers that cannot be kept alive end the run.
    const operator: OperatorFunction<Frame, Frame> = (input) =>
      input.pipe(estimate, takeUntil(estimator.failed));
    const { direct, queue } = context;
    return direct && isPlain(queue)
      ? withReader(operator, estimator.reader(direct.pictureUsed))
      : operator;
  },
});

/** The model's workers, and their turns where several cameras use them. */
async function openModel(
  options: Options,
  context: SharedContext,
): Promise<{ readonly estimator: DepthEstimator; readonly turns: Turns }> {
  const estimator = await DepthEstimator.open({
    model: options.model,
    baseDirectory: context.baseDirectory,
    ...(options.workers !== undefined && { workers: options.workers }),
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.batch !== undefined && { batch: options.batch }),
    cameras: context.cameras?.length ?? 1,
    engine: engineChoice(options),
    providers: options.providers,
    tuned: options.tuned === 'auto',
    keepPicture: options.image === 'source',
    cover: options.cover,
    log: context.log,
    onRestart: (why) => {
      context.restarted(why);
      context.log.warn(`restarted an inference worker (${why})`);
    },
  });
  context.defer(() => estimator.close());
  const { batch } = estimator;
  if (batch > 1) context.summary(() => ({ mostPicturesInACall: batch, calls: estimator.calls }));
  return { estimator, turns: new Turns(batch) };
}

/** True if no frame would wait in the queue if the workers read the source's frames themselves. */
function isPlain({ limit, whenFull, maxAgeMs }: QueueOptions): boolean {
  return limit === 1 && whenFull !== 'drop-newest' && maxAgeMs === undefined;
}

/** The model, and the settings it runs with on this machine. */
async function resolve(chosen: Options, baseDirectory: string) {
  const { model, threads, workers, providers, tuned } = chosen;
  const engine = engineChoice(chosen);
  const found = await verifyModel(await findModel(model, baseDirectory));
  const asked = { engine, threads, workers, providers, untuned: tuned === 'off' };
  return { found, chosen: chooseSettings(found, asked) };
}

/**
 * Where frames wait for the operator anyway, one waits at the workers, so that no worker idles. Where
 * newer frames replace older ones it would only get stale there.
 */
function ahead({ whenFull }: QueueOptions): number {
  return whenFull === 'block' ? 1 : 0;
}
