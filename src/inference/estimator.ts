import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component.ts';
import { type DepthFrame, derive, type ImageFrame, type Picture } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { geometryOf, scaleGeometry } from '../depth/view.ts';
import { fitImage } from '../imaging/fit.ts';
import type { Inference } from './inference-thread.ts';
import type { Manifest } from './manifest.ts';
import { findModel, type Model, verifyModel } from './model-files.ts';
import { isRelative } from './tensors.ts';
import { chooseSettings } from './tuned-settings.ts';
import { type PoolOptions, WorkerPool } from './worker-pool.ts';

export const providers = ['cpu', 'cuda', 'tensorrt'] as const;

/** Which model runs, and how. */
export interface EstimatorOptions extends Partial<Omit<PoolOptions, 'providers'>> {
  /** Name of a model in models/, or path of an .onnx file with its manifest beside it. */
  readonly model: string;
  /** Folder that `models/` and a relative path start from; default: the working directory. */
  readonly baseDirectory?: string;
  readonly providers?: readonly (typeof providers)[number][];
  /** Use what `depthline tune` found for this model on this machine, unless an option is given. */
  readonly tuned?: boolean;
  /** Keep the picture as it came, as the result's `picture`. */
  readonly keepPicture?: boolean;
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
  readonly #pool: WorkerPool;
  readonly #geometry: ModelGeometry;
  readonly #keepPicture: boolean;

  private constructor(pool: WorkerPool, workers: number, keepPicture: boolean) {
    this.workers = workers;
    this.model = pool.model;
    this.#pool = pool;
    this.#keepPicture = keepPicture;
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
      log,
      keepPicture = false,
      ...pool
    } = options;
    const { providers = ['cpu'], workers, threads } = pool;
    const found = await verifyModel(await findModel(model, baseDirectory));
    const asked = { providers, workers, threads, untuned: !tuned };
    const { tuned: words, path, ...chosen } = chooseSettings(found, asked, log?.warn);
    if (words !== undefined) log?.info(`tuned for this machine: ${words}`);
    const settings = { ...pool, providers, ...chosen };
    const opened = await WorkerPool.open({ ...found, path }, settings);
    return new DepthEstimator(opened, chosen.workers, keepPicture);
  }

  /** Rejects when the model's workers keep dying, and no estimate can succeed any more. */
  get failed(): Promise<never> {
    return this.#pool.failed;
  }

  /**
   * Depth of a picture. A picture of the model's size is used unchanged; of any other, the centre with
   * the aspect that the model was trained on is scaled to its size. That is the `image` of the result,
   * and intrinsics and truth are cropped with it.
   *
   * @param stage name of the time taken in `timings`, milliseconds
   * @throws DepthlineError `MODEL` if the model fails on this picture
   */
  async estimate(picture: ImageFrame | Picture, stage = 'estimate-depth'): Promise<DepthFrame> {
    const frame = 'kind' in picture ? picture : asFrame(picture);
    const image = this.#fits(frame)
      ? frame
      : await fitImage(frame, this.#geometry, 'stretch', this.#geometry.view);
    const inference = await this.#pool.infer(image);
    const depth = depthFrame(image, inference, this.model, stage);
    return this.#keepPicture ? { ...depth, picture: frame } : depth;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #fits(frame: ImageFrame): boolean {
    return frame.width === this.#geometry.width && frame.height === this.#geometry.height;
  }
}

function depthFrame(
  image: ImageFrame,
  { depth, width, height, ms }: Inference,
  { manifest, sha256 }: Model,
  stage: string,
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
    image,
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
