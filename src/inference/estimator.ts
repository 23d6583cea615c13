import type { StreamReader } from '../core/capture-stream.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import {
  type DepthFrame,
  type DepthMap,
  derive,
  type ImageFrame,
  type Picture,
} from '../core/frame.ts';
import { resolvePath } from '../core/resolve-path.ts';
import type { Size } from '../core/size.ts';
import type { FitPlan } from '../depth/fit-plan.ts';
import { geometryOf, scaleGeometry } from '../depth/view.ts';
import { type Cover, leavesOut, mergeViews, planTwoViews } from './cover.ts';
import { defaultEngine, type EngineChoice, type providerNames } from './engines/choice.ts';
import { findProgram } from './engines/find-program.ts';
import { withFiles } from './engines/kserve/tls-files.ts';
import type { Inference } from './inference-thread.ts';
import type { Manifest } from './manifest.ts';
import { findModel, type Model, verifyModel } from './model-files.ts';
import { isRelative } from './tensors.ts';
import { type ChosenSettings, chooseSettings } from './tuned-settings.ts';
import { type PoolOptions, WorkerPool } from './worker-pool.ts';

/** Which model runs, and how. */
export interface EstimatorOptions extends Partial<Omit<PoolOptions, 'providers'>> {
  /** Name of a model in models/, or path of an .onnx file with its manifest beside it. */
  readonly model: string;
  /** Folder that `models/` and a relative path start from; default: the working directory. */
  readonly baseDirectory?: string;
  readonly providers?: readonly (typeof providerNames)[number][];
  /** Use what `depthline tune` found for this model on this machine, unless an option is given. */
  readonly tuned?: boolean;
  /** Cameras whose pictures may be put into one call; default: 1. */
  readonly cameras?: number;
  /** Keep the picture as it came, as the result's `picture`. */
  readonly keepPicture?: boolean;
  /**
   * What the model sees of a picture whose shape is not that of its view: the `centre` (default), all of
   * it squeezed into that shape (`squeeze`), or all of it in `two-views` that overlap, which takes twice
   * the time.
   */
  readonly cover?: Cover;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
}

/** A model's input size, and the aspect of the view that is scaled to it, if any. */
export interface ModelGeometry extends Size {
  readonly view: number | undefined;
}

/** What a picture must be scaled to for the model. */
export function geometry(manifest: Manifest): ModelGeometry {
  const { width, height, view } = manifest.input;
  const [across, down] = view.split(':').map(Number);
  return { width, height, view: across && down ? across / down : undefined };
}

/**
 * A depth model without a pipeline:
 *
 * ```ts
 * const estimator = await DepthEstimator.open({ model: 'fastdepth' });
 * const { data, width, height } = await estimator.estimate(picture);
 * await estimator.close();
 * ```
 *
 * `estimate-depth` is built on it.
 */
export class DepthEstimator {
  readonly model: Model;
  /** Pictures processed in parallel. */
  readonly workers: number;
  /** Most pictures in one call of the model. */
  readonly batch: number;
  readonly #pool: WorkerPool;
  readonly #geometry: ModelGeometry;
  readonly #keepPicture: boolean;
  readonly #cover: Cover;

  private constructor(
    pool: WorkerPool,
    { workers, batch }: Pick<ChosenSettings, 'workers' | 'batch'>,
    { keepPicture = false, cover = 'centre' }: Pick<EstimatorOptions, 'keepPicture' | 'cover'>,
  ) {
    this.workers = workers;
    this.batch = batch;
    this.model = pool.model;
    this.#pool = pool;
    this.#keepPicture = keepPicture;
    this.#cover = cover;
    this.#geometry = geometry(pool.model.manifest);
  }

  /**
   * Finds and loads the model. Its workers run until `close`.
   *
   * @throws DepthlineError `MODEL` if it is missing, cannot be loaded or does not fit its manifest
   */
  static async open(options: EstimatorOptions): Promise<DepthEstimator> {
    const {
      model,
      baseDirectory = process.cwd(),
      tuned = false,
      cameras,
      log,
      keepPicture,
      cover,
      ...pool
    } = options;
    const { providers = ['cpu'], workers, threads, batch } = pool;
    const engine = await ready(pool.engine ?? defaultEngine, baseDirectory);
    const found = await verifyModel(await findModel(model, baseDirectory));
    const asked = { engine, providers, workers, threads, batch, cameras, untuned: !tuned };
    const { tuned: words, path, ...chosen } = chooseSettings(found, asked, log?.warn);
    if (words !== undefined) log?.info(`tuned for this machine: ${words}`);
    const onNote = (text: string) => log?.warn(text);
    const settings = { onNote, ...pool, engine, providers, ...chosen };
    const opened = await WorkerPool.open({ ...found, path }, settings);
    return new DepthEstimator(opened, chosen, {
      ...(keepPicture !== undefined && { keepPicture }),
      ...(cover && { cover }),
    });
  }

  /** Size of the depth; unknown where that depends on the picture. */
  get size(): Size | undefined {
    return this.#cover === 'two-views' ? undefined : this.#pool.size;
  }

  /** Calls of the model so far. */
  get calls(): number {
    return this.#pool.calls;
  }

  /** Rejects when the model's workers keep dying, and no estimate can succeed any more. */
  get failed(): Promise<never> {
    return this.#pool.failed;
  }

  /**
   * Depth of a picture. A picture of the model's size is used unchanged; of any other, the centre with
   * the aspect that the model was trained on is scaled to its size, or what `cover` says. That is the
   * `image` of the result, and view, intrinsics and truth are cropped with it.
   *
   * @param stage name of the time taken in `timings`, milliseconds
   * @throws DepthlineError `MODEL` if the model fails on this picture
   */
  async estimate(picture: ImageFrame | Picture, stage = 'estimate-depth'): Promise<DepthFrame> {
    const frame = 'kind' in picture ? picture : asFrame(picture);
    const { view } = this.#geometry;
    const inTwo = this.#cover === 'two-views' && view !== undefined && !this.#fits(frame);
    const depth =
      inTwo && leavesOut(frame, view)
        ? await this.#estimateTwice(frame, { ...this.#geometry, view }, stage)
        : await this.#estimateOnce(frame, this.#cover === 'squeeze' ? undefined : view, stage);
    return this.#keepPicture ? { ...depth, picture: frame } : depth;
  }

  /**
   * Lets the workers read the frames of a capture process themselves, pictures of the model's size;
   * `estimate` then gives their depth at once.
   *
   * @param pictureUsed whether results are to have the picture beside the depth
   */
  reader(pictureUsed: boolean): StreamReader {
    return {
      workers: this.workers,
      read: (descriptor, handlers) => this.#pool.read(descriptor, pictureUsed, handlers),
    };
  }

  async #estimateOnce(
    frame: ImageFrame,
    view: number | undefined,
    stage: string,
  ): Promise<DepthFrame> {
    const outcome = this.#pool.outcomeOf(frame.data);
    if (outcome instanceof DepthlineError) throw outcome;
    if (outcome) return depthFrame(frame, outcome, this.model, stage, !isShared(frame.data));
    const image = this.#fits(frame)
      ? frame
      : await (await fitting()).fitImage(frame, this.#geometry, 'stretch', view);
    return depthFrame(image, await this.#pool.infer(image), this.model, stage);
  }

  async #estimateTwice(
    frame: ImageFrame,
    input: Size & { readonly view: number },
    stage: string,
  ): Promise<DepthFrame> {
    const plan = planTwoViews(frame, input);
    const { fitPart } = await fitting();
    const seen = async (part: FitPlan) => this.#pool.infer(await fitPart(frame, part));
    const [image, a, b] = await Promise.all([
      fitPart(frame, plan.whole),
      seen(plan.first),
      seen(plan.second),
    ]);
    const shift = Math.round((plan.shift * a[plan.along]) / input[plan.along]);
    const { range } = this.model.manifest.output;
    const merged = mergeViews(mapOf(a), mapOf(b), { along: plan.along, shift }, range);
    const { width, height, data } = merged;
    return depthFrame(image, { depth: data, width, height, ms: a.ms + b.ms }, this.model, stage);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #fits(frame: ImageFrame): boolean {
    return frame.width === this.#geometry.width && frame.height === this.#geometry.height;
  }
}

/** An engine with all that it needs found. @throws DepthlineError `MISSING` */
async function ready(engine: EngineChoice, baseDirectory: string): Promise<EngineChoice> {
  if (engine.name === 'kserve') return withFiles(engine, baseDirectory);
  if (engine.name === 'onnxruntime') {
    const { binding } = engine;
    return binding === undefined
      ? engine
      : { ...engine, binding: resolvePath(baseDirectory, binding) };
  }
  const [program = '', ...args] = engine.command;
  return { ...engine, command: [await findProgram(program, baseDirectory), ...args] };
}

/** Loaded for the first picture that has another size: behind most sources there is none. */
function fitting(): Promise<typeof import('../imaging/fit.ts')> {
  return import('../imaging/fit.ts');
}

/** True for memory that a worker will soon use for another picture. */
function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

function mapOf({ width, height, depth }: Inference): DepthMap {
  return { width, height, data: depth };
}

function depthFrame(
  image: ImageFrame,
  { depth, width, height, ms }: Inference,
  { manifest, sha256 }: Model,
  stage: string,
  withImage = true,
): DepthFrame {
  const { range } = manifest.output;
  const { view, intrinsics } = scaleGeometry(geometryOf(image), { width, height });
  return {
    ...derive(image),
    view,
    ...(intrinsics && { intrinsics }),
    kind: 'depth',
    width,
    height,
    data: depth,
    ...(withImage && { image }),
    model: { name: manifest.name, sha256 },
    timings: { ...image.timings, [stage]: ms },
    ...(range && { range }),
    ...(isRelative(manifest.output) && { unit: 'relative' as const }),
  };
}

function asFrame(picture: Picture): ImageFrame {
  const capturedAt = systemClock.wall();
  return { kind: 'image', seq: 0, pts: 0n, capturedAt, source: 'picture', ...picture };
}
