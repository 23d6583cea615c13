import type { Logger } from '../../core/component-context.ts';
import { DepthlineError, reason } from '../../core/errors.ts';
import { type DepthFrame, derive, type ImageFrame, type StereoFrame } from '../../core/frame.ts';
import type { Size } from '../../core/size.ts';
import { stereoGeometry } from '../../depth/disparity.ts';
import { eyeOf } from '../../depth/eye.ts';
import { geometryOf, scaleGeometry } from '../../depth/view.ts';
import type { providerNames } from '../engines/choice.ts';
import { verifyModel } from '../model-files.ts';
import type { DisparityCheck } from './protocol.ts';
import { findStereoModel, type StereoModel } from './stereo-manifest.ts';
import {
  type Pair,
  type StereoResult,
  StereoThread,
  type StereoThreadOptions,
  StereoWorkerDied,
} from './stereo-thread.ts';

/** Which model runs, and how. */
export interface StereoEstimatorOptions {
  /** Name of a model in models/, or path of an .onnx file with its manifest beside it. */
  readonly model: string;
  /** Folder that `models/` and a relative path start from; default: the working directory. */
  readonly baseDirectory?: string;
  readonly providers?: readonly (typeof providerNames)[number][];
  readonly workers?: number;
  readonly threads?: number;
  readonly check?: DisparityCheck;
  /** Valid depth, metres. */
  readonly range?: readonly [number, number];
  /** Squeeze a picture of another shape; default: its centre. */
  readonly squeeze?: boolean;
  /** Keep the left picture as it came, as the result's `picture`. */
  readonly keepPicture?: boolean;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  readonly onRestart?: (reason: string) => void;
  /** Where workers start; for tests. */
  readonly entry?: URL;
}

/** Depth of pairs that is valid by default, metres. */
export const defaultRange = [0.1, 30] as const;

/** Deaths of workers without a result in between after which no other is started. */
const restartLimit = 3;

/** A network for pairs of rectified pictures, with its worker threads. */
export class StereoEstimator {
  readonly model: StereoModel;
  readonly #options: StereoEstimatorOptions;
  readonly #threads: StereoThread[] = [];
  readonly #said = new Set<string>();
  #deaths = 0;
  #filling: Promise<void> | undefined;
  #closed = false;

  private constructor(model: StereoModel, options: StereoEstimatorOptions) {
    this.model = model;
    this.#options = options;
  }

  /**
   * Finds and loads the model. Its workers run until `close`.
   *
   * @throws DepthlineError `MODEL` if it is missing, cannot be loaded or does not fit its manifest
   */
  static async open(options: StereoEstimatorOptions): Promise<StereoEstimator> {
    const { model, baseDirectory = process.cwd(), workers = 1 } = options;
    const found = await verifyModel(await findStereoModel(model, baseDirectory));
    const estimator = new StereoEstimator(found, options);
    const starts = Array.from({ length: workers }, () => estimator.#start());
    const started = await Promise.allSettled(starts);
    const failure = started.find((result) => result.status === 'rejected');
    if (!failure) return estimator;
    await estimator.close();
    throw failure.reason;
  }

  get workers(): number {
    return this.#options.workers ?? 1;
  }

  /**
   * Depth of the left picture. Pictures of the model's size are used unchanged; of any other, the centre of
   * its shape is scaled to that size, and view, intrinsics and truth follow.
   *
   * @param stage name of the time taken in `timings`, milliseconds
   * @throws DepthlineError `MODEL` if the model fails on this pair, `OPERATOR` if the pair has no baseline or
   *   no intrinsics
   */
  async estimate(frame: StereoFrame, stage = 'estimate-stereo'): Promise<DepthFrame> {
    const { left, pair, geometry } = await this.#fit(frame);
    if (!geometry) throw uncalibrated(frame);
    const result = await this.#infer(pair, geometry);
    const { view, intrinsics } = scaleGeometry(geometryOf(left), result);
    const { data, width, height, ms } = result;
    return {
      ...derive(left),
      view,
      ...(intrinsics && { intrinsics }),
      ...{ kind: 'depth', width, height, data, image: left },
      ...(this.#options.keepPicture && { picture: eyeOf(frame, 'left') }),
      model: { name: this.model.manifest.name, sha256: this.model.sha256 },
      timings: { ...left.timings, [stage]: ms },
      range: [...(this.#options.range ?? defaultRange)],
    };
  }

  /** Disparity of the left picture in pixels of the result; 0 is invalid. Needs no calibration. */
  async disparity(frame: StereoFrame): Promise<StereoResult & { readonly left: ImageFrame }> {
    const { left, pair } = await this.#fit(frame);
    return { ...(await this.#infer(pair, undefined)), left };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #fit(frame: StereoFrame) {
    const { width, height } = this.model.manifest.input;
    const eyes = [eyeOf(frame, 'left'), eyeOf(frame, 'right')] as const;
    const size = { width, height };
    const fits = frame.width === width && frame.height === height;
    const [left, right] = fits ? eyes : await this.#scaled(eyes, size);
    const { offset = 0 } = frame;
    // The offset is a distance in pixels, which scale with the picture.
    const scale =
      left.intrinsics && frame.intrinsics ? left.intrinsics.fx / frame.intrinsics.fx : 1;
    const pair: Pair = { left, right };
    const placed = { ...frame, ...(left.intrinsics && { intrinsics: left.intrinsics }) };
    return { left, pair, geometry: stereoGeometry({ ...placed, offset: offset * scale }) };
  }

  async #scaled(
    [left, right]: readonly [ImageFrame, ImageFrame],
    size: Size,
  ): Promise<readonly [ImageFrame, ImageFrame]> {
    const { fitImage } = await import('../../imaging/fit.ts');
    const view = this.#options.squeeze ? undefined : size.width / size.height;
    return Promise.all([
      fitImage(left, size, 'stretch', view),
      fitImage(right, size, 'stretch', view),
    ]);
  }

  async #infer(pair: Pair, geometry: ReturnType<typeof stereoGeometry>): Promise<StereoResult> {
    const thread = await this.#idlest();
    try {
      const result = await thread.infer(pair, geometry);
      this.#deaths = 0;
      return result;
    } catch (error) {
      if (error instanceof StereoWorkerDied) await this.#replace(thread, error);
      throw error;
    }
  }

  async #idlest(): Promise<StereoThread> {
    if (this.#closed) throw new DepthlineError('MODEL', `${this.model.manifest.name} is closed`);
    for (const thread of this.#threads) if (thread.dead) this.#remove(thread);
    await this.#fill();
    return this.#threads.reduce((best, one) => (one.load < best.load ? one : best));
  }

  /** Starts workers until there are as many as asked for. */
  #fill(): Promise<void> {
    const start = async () => {
      while (this.#threads.length < this.workers && !this.#closed) await this.#start();
    };
    this.#filling ??= start().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #start(): Promise<void> {
    const { threads = 1, providers = ['cpu'], check = 'hidden' } = this.#options;
    const { entry, range = defaultRange } = this.#options;
    const options: StereoThreadOptions = { threads, providers, check, range, entry };
    const thread = await StereoThread.start(this.model, options);
    for (const note of thread.notes) this.#say(note);
    if (this.#closed) await thread.close();
    else this.#threads.push(thread);
  }

  /** A worker that died is replaced at once, unless it keeps dying. */
  async #replace(thread: StereoThread, death: StereoWorkerDied): Promise<void> {
    if (!this.#remove(thread)) return;
    if (++this.#deaths > restartLimit) {
      const message = `${death.message}; it died ${this.#deaths} times in a row and is not restarted`;
      throw new DepthlineError('MODEL', message, { cause: death });
    }
    try {
      await this.#fill();
    } catch (error) {
      throw new DepthlineError('MODEL', reason(error), { cause: error });
    }
    this.#options.onRestart?.(death.message);
  }

  /** Each text once, not for each worker. */
  #say(note: string): void {
    if (this.#said.has(note)) return;
    this.#said.add(note);
    this.#options.log?.warn(note);
  }

  #remove(thread: StereoThread): boolean {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    return at >= 0;
  }
}

function uncalibrated({ intrinsics }: StereoFrame): DepthlineError {
  const lacks = intrinsics ? 'baseline' : 'intrinsics';
  return new DepthlineError(
    'OPERATOR',
    `the pairs have no ${lacks}, so disparity cannot become metres; set "calibration" on the source`,
  );
}
