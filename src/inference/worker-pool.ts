import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame } from '../core/frame.ts';
import { type Inference, InferenceThread } from './inference-thread.ts';
import type { Model } from './model-files.ts';
import type { SessionSettings } from './session-settings.ts';

export interface PoolOptions {
  /** Sessions, each in a thread of its own. */
  readonly workers: number;
  /** ONNX Runtime's intra-op threads per session. */
  readonly threads: number;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  readonly session?: SessionSettings | undefined;
  /** Called when a worker that died has been replaced. */
  readonly onRestart?: (reason: string) => void;
  /** Where workers start; for tests. */
  readonly entry?: URL;
}

/** A worker that dies this often without a result in between cannot run the model here. */
const restartLimit = 3;

/** A worker's place, which outlives the worker. */
interface Place {
  /** Nothing while a worker that died is being replaced. */
  thread: InferenceThread | undefined;
  deaths: number;
}

/** Sessions of one model in worker threads; a picture goes to the one with the least to do. */
export class WorkerPool {
  readonly model: Model;
  /** Rejects when the last worker is given up. */
  readonly failed: Promise<never>;
  readonly #options: PoolOptions;
  readonly #places: Place[] = [];
  #fail!: (error: Error) => void;
  #restarting: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(model: Model, options: PoolOptions) {
    this.model = model;
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever infers hears of it too; nobody has to listen here.
    this.failed.catch(() => {});
  }

  /**
   * Starts the workers and loads the model in each.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded, or its manifest does not fit
   */
  static async open(model: Model, options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(model, options);
    const places = Array.from({ length: options.workers }, () => ({
      thread: undefined,
      deaths: 0,
    }));
    pool.#places.push(...places);
    const started = await Promise.allSettled(places.map((place) => pool.#start(place)));
    const failure = started.find((result) => result.status === 'rejected');
    if (!failure) return pool;
    await pool.close();
    throw failure.reason;
  }

  /**
   * Depth of one picture of the model's size. Rejects with a DepthlineError `MODEL` if the model
   * fails on it, or its worker dies.
   */
  async infer(image: ImageFrame): Promise<Inference> {
    if (this.#closed) throw this.#closedError();
    const { width, height } = this.model.manifest.input;
    if (image.width !== width || image.height !== height) {
      const message = `${this.model.manifest.name} takes ${width}×${height} pictures, not ${image.width}×${image.height}`;
      throw new DepthlineError('MODEL', message);
    }
    const place = this.#idlest() ?? (await this.#afterRestart());
    const thread = place.thread as InferenceThread;
    const inference = await thread.infer(image);
    place.deaths = 0;
    return inference;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#places.map(({ thread }) => thread?.close()));
    await this.#restarting;
  }

  #idlest(): Place | undefined {
    let best: Place | undefined;
    for (const place of this.#places) {
      if (!place.thread) continue;
      if (!best?.thread || place.thread.load < best.thread.load) best = place;
    }
    return best;
  }

  async #afterRestart(): Promise<Place> {
    while (!this.#closed && this.#places.length > 0) {
      await this.#restarting;
      const place = this.#idlest();
      if (place) return place;
    }
    if (this.#closed) throw this.#closedError();
    return this.failed;
  }

  #closedError(): DepthlineError {
    return new DepthlineError('MODEL', `${this.model.manifest.name} has been closed`);
  }

  async #start(place: Place): Promise<void> {
    const { threads, providers, session } = this.#options;
    const thread = await InferenceThread.start(this.model, {
      entry: this.#options.entry ?? entryPoint(import.meta.url, './worker'),
      threads,
      providers,
      session,
    });
    place.thread = thread;
    if (this.#closed) await thread.close();
    void thread.died.then((error) => {
      place.thread = undefined;
      const others = this.#restarting;
      this.#restarting = this.#replace(place, error).then(() => others);
    });
  }

  async #replace(place: Place, death: DepthlineError): Promise<void> {
    let error: unknown = death;
    while (!this.#closed) {
      if (++place.deaths > restartLimit) {
        this.#giveUp(place, error);
        return;
      }
      try {
        await this.#start(place);
        this.#options.onRestart?.(death.message);
        return;
      } catch (failure) {
        error = failure;
      }
    }
  }

  #giveUp(place: Place, cause: unknown): void {
    this.#places.splice(this.#places.indexOf(place), 1);
    if (this.#places.length > 0) return;
    const message = `${reason(cause)}; it died ${restartLimit + 1} times in a row, so it was not started again`;
    this.#fail(new DepthlineError('MODEL', message, { cause }));
  }
}
