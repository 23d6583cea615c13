import type { StreamHandle, StreamHandlers } from '../core/capture-stream.ts';
import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import type { EngineChoice } from './engines/choice.ts';
import { type Inference, InferenceThread } from './inference-thread.ts';
import type { Model } from './model-files.ts';
import { type Outcome, PoolStream } from './pool-stream.ts';
import type { SessionSettings } from './session-settings.ts';

export interface PoolOptions {
  /** Sessions, each in its own thread. */
  readonly workers: number;
  /** What runs the model; default: ONNX Runtime in the worker. */
  readonly engine?: EngineChoice | undefined;
  /** Called with what the user should know of the engine, each text once. */
  readonly onNote?: (text: string) => void;
  /** ONNX Runtime's intra-op threads per session. */
  readonly threads: number;
  /** Most pictures in one call; the model needs a dynamic batch for more than 1, the default. */
  readonly batch?: number | undefined;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  readonly session?: SessionSettings | undefined;
  /** Called when a worker that died has been replaced. */
  readonly onRestart?: (reason: string) => void;
  /** Give the model's output as it is, not as depth: for calibration. */
  readonly raw?: boolean | undefined;
  /** Where workers start; for tests. */
  readonly entry?: URL;
}

/** Deaths without a result in between after which a worker is given up. */
const restartLimit = 3;

/** Where a worker runs; it outlives the worker. */
interface WorkerSlot {
  /** From 1. */
  readonly number: number;
  /** Undefined while a worker that died is being replaced. */
  thread: InferenceThread | undefined;
  deaths: number;
}

/**
 * Sessions of one model in worker threads; a picture goes to the least loaded one, or into a call that has room.
 */
export class WorkerPool {
  readonly model: Model;
  /** Rejects when the last worker is given up. */
  readonly failed: Promise<never>;
  readonly #options: PoolOptions;
  readonly #slots: WorkerSlot[] = [];
  #fail!: (error: Error) => void;
  #restarting: Promise<void> = Promise.resolve();
  /** The stream that the workers read. */
  #stream: PoolStream | undefined;
  /** What came of its frames, by their pictures. */
  readonly #outcomes = new WeakMap<Uint8Array, Outcome>();
  readonly #said = new Set<string>();
  #closed = false;
  /** Calls of the model by threads that have ended. */
  #calls = 0;

  private constructor(model: Model, options: PoolOptions) {
    this.model = model;
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Callers of infer get the error too; an unhandled rejection here would end the process.
    this.failed.catch(() => {});
  }

  /**
   * Starts the workers and loads the model in each.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded, or its manifest does not fit
   */
  static async open(model: Model, options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(model, options);
    const slots = Array.from({ length: options.workers }, (_, i) => ({
      number: i + 1,
      thread: undefined,
      deaths: 0,
    }));
    pool.#slots.push(...slots);
    const started = await Promise.allSettled(slots.map((slot) => pool.#start(slot)));
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
    const slot = this.#idlest() ?? (await this.#afterRestart());
    const thread = slot.thread as InferenceThread;
    const inference = await thread.infer(image);
    slot.deaths = 0;
    return inference;
  }

  /**
   * Lets the workers read the frames of a capture process themselves, packed RGB of the model's size.
   * `outcomeOf` then tells what came of each.
   */
  read(descriptor: number, pictureUsed: boolean, handlers: StreamHandlers): StreamHandle {
    const stream = new PoolStream({
      ...handlers,
      descriptor,
      pictureUsed,
      onOutcome: (data, outcome, number) => {
        this.#outcomes.set(data, outcome);
        const slot = this.#slots.find((one) => one.number === number);
        if (slot && !(outcome instanceof DepthlineError)) slot.deaths = 0;
      },
    });
    this.#stream = stream;
    for (const { thread, number } of this.#slots) if (thread) stream.add(thread, number);
    return stream;
  }

  /** What came of a frame that a worker has read; undefined for any other picture. */
  outcomeOf(data: Uint8Array): Outcome | undefined {
    return this.#outcomes.get(data);
  }

  /** Size of the depth. */
  get size(): Size | undefined {
    return this.#slots.find(({ thread }) => thread)?.thread?.size;
  }

  /** Calls of the model so far. */
  get calls(): number {
    return this.#slots.reduce((sum, { thread }) => sum + (thread?.calls ?? 0), this.#calls);
  }

  async close(): Promise<void> {
    this.#closed = true;
    void this.#stream?.close();
    await Promise.all(this.#slots.map(({ thread }) => thread?.close()));
    await this.#restarting;
  }

  #idlest(): WorkerSlot | undefined {
    let best: WorkerSlot | undefined;
    for (const slot of this.#slots) {
      if (!slot.thread) continue;
      if (slot.thread.joinable) return slot;
      if (!best?.thread || slot.thread.load < best.thread.load) best = slot;
    }
    return best;
  }

  async #afterRestart(): Promise<WorkerSlot> {
    while (!this.#closed && this.#slots.length > 0) {
      await this.#restarting;
      const slot = this.#idlest();
      if (slot) return slot;
    }
    if (this.#closed) throw this.#closedError();
    return this.failed;
  }

  #closedError(): DepthlineError {
    return new DepthlineError('MODEL', `${this.model.manifest.name} is closed`);
  }

  async #start(slot: WorkerSlot): Promise<void> {
    const { engine, threads, batch, providers, session, raw } = this.#options;
    const thread = await InferenceThread.start(this.model, {
      entry: this.#options.entry ?? entryPoint('bundle/inference'),
      engine,
      threads,
      batch,
      providers,
      session,
      raw,
    });
    for (const note of thread.notes) this.#say(note);
    slot.thread = thread;
    if (this.#closed) await thread.close();
    else this.#stream?.add(thread, slot.number);
    void thread.died.then(({ why }) => {
      slot.thread = undefined;
      this.#calls += thread.calls;
      const others = this.#restarting;
      const replaced = why.then((error) => this.#replace(slot, error));
      this.#restarting = replaced.then(() => others);
    });
  }

  async #replace(slot: WorkerSlot, death: DepthlineError): Promise<void> {
    let error: unknown = death;
    while (!this.#closed) {
      if (++slot.deaths > restartLimit) {
        this.#giveUp(slot, error);
        return;
      }
      try {
        await this.#start(slot);
        this.#options.onRestart?.(death.message);
        return;
      } catch (failure) {
        error = failure;
      }
    }
  }

  #say(note: string): void {
    if (this.#said.has(note)) return;
    this.#said.add(note);
    this.#options.onNote?.(note);
  }

  #giveUp(slot: WorkerSlot, cause: unknown): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    if (this.#slots.length > 0) return;
    const message = `${reason(cause)}; it died ${restartLimit + 1} times in a row and is not restarted`;
    this.#fail(new DepthlineError('MODEL', message, { cause }));
  }
}
