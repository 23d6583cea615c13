import { Worker } from 'node:worker_threads';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import type { StreamOver } from '../stream/shared-stream.ts';
import { defaultEngine, type EngineChoice } from './engines/choice.ts';
import type { Companion } from './engines/engine.ts';
import { mainSideOf } from './engines/main-sides.ts';
import type { Model } from './model-files.ts';
import { guardExit, nativeState } from './native-guard.ts';
import { PictureCalls } from './picture-calls.ts';
import type { PictureFailure, Request, Response, StreamSetup, WorkerSetup } from './protocol.ts';
import { defaultSettings, type SessionSettings } from './session-settings.ts';
import { Slot } from './slot.ts';

/** The depth of one picture. */
export interface Inference {
  /** float32 metres, `height × width`; 0 is invalid. */
  readonly depth: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Time in the worker, milliseconds. */
  readonly ms: number;
}

export interface ThreadOptions {
  /** Where the worker starts. */
  readonly entry: URL;
  /** What runs the network; default: ONNX Runtime. */
  readonly engine?: EngineChoice | undefined;
  /** ONNX Runtime's intra-op threads. */
  readonly threads: number;
  /** Most pictures in one call of the model; default: 1. */
  readonly batch?: number | undefined;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  readonly session?: SessionSettings | undefined;
  /** Give the model's output as it is, not as depth. */
  readonly raw?: boolean | undefined;
}

/** What a worker that reads a stream reports. */
export interface StreamEvents {
  /** A frame is in this slot, with its depth or what failed on it. It is free again afterwards. */
  onFrame(slot: Slot, failure: DepthlineError | undefined): void;
  /** It reads the stream no further. */
  onLeft(why: StreamOver): void;
  /** The same, because the worker has ended. */
  onDied(): void;
}

/** The picture is not to blame: its worker ended, or the engine could not be reached. Another may do better. */
export class EngineFailed extends DepthlineError {
  constructor(model: Model, what: string) {
    super('MODEL', `${model.manifest.name}: ${what}`);
  }
}

/** One session of a model, in a worker thread of its own. */
export class InferenceThread {
  /** Resolves as soon as the worker ends without having been closed; the reason is known a little later. */
  readonly died: Promise<{ readonly why: Promise<DepthlineError> }>;
  /** What runs the model, for people. */
  readonly description: string;
  /** What the user should know of it. */
  readonly notes: readonly string[];
  readonly #worker: Worker;
  readonly #companion: Companion | undefined;
  readonly #model: Model;
  readonly #slots: readonly Slot[];
  readonly #calls: PictureCalls<Inference>;
  readonly #size: Size;
  /** The streams that it reads, by number. */
  readonly #streams = new Map<number, StreamEvents>();
  #closed = false;

  private constructor(
    worker: Worker,
    companion: Companion | undefined,
    model: Model,
    batch: number,
    { slots, width, height, description, notes }: Ready,
  ) {
    this.#worker = worker;
    this.#companion = companion;
    this.#model = model;
    this.#size = { width, height };
    this.description = description;
    this.notes = notes;
    this.#slots = slots.map((memory) => new Slot(memory));
    this.#calls = new PictureCalls(this.#slots, batch, (pictures) => {
      worker.ref();
      this.#post({ type: 'infer', pictures });
    });
    let cause = 'it exited';
    worker.on('message', (response: Response) => this.#answer(response));
    worker.on('error', (error) => {
      cause = reason(error);
    });
    this.died = new Promise((resolve) => {
      worker.on('exit', () => {
        const why = this.#end(cause);
        if (!this.#closed) resolve({ why });
      });
    });
    // A program that forgets to close it still exits when no picture is in flight. Adding a listener
    // for messages later would undo that.
    worker.unref();
  }

  /**
   * Starts the worker, loads the model and runs it once.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded, or its manifest does not fit
   */
  static async start(model: Model, options: ThreadOptions): Promise<InferenceThread> {
    const { manifest, manifestPath, path, sha256 } = model;
    const { entry, engine = defaultEngine, threads, providers } = options;
    const { session = defaultSettings, raw = false, batch = 1 } = options;
    const mainSide = await mainSideOf(engine.name);
    const companion = await mainSide.accompany?.(engine, model);
    const workerData: WorkerSetup = {
      ...{ engine, manifest, manifestPath, path, sha256, raw, threads, batch, providers, session },
      native: nativeState(),
      attachment: companion?.attachment,
    };
    // Not the program's own arguments: Node.js refuses some of them here, and loaders cost time.
    const worker = new Worker(entry, { workerData, execArgv: [], resourceLimits });
    worker.once('exit', guardExit(workerData.native));
    try {
      return new InferenceThread(worker, companion, model, batch, await ready(worker));
    } catch (error) {
      const refused = error instanceof DepthlineError;
      const why = refused ? error : ((await companion?.explain(reason(error))) ?? error);
      companion?.kill();
      await worker.terminate();
      await companion?.close();
      throw refused ? error : mainSide.loadError(model, workerData, why);
    }
  }

  /** Pictures in flight. */
  get load(): number {
    return this.#calls.load;
  }

  /** Calls of the model so far. */
  get calls(): number {
    return this.#calls.given;
  }

  /** A picture that comes now goes into the same call as others. */
  get joinable(): boolean {
    return this.#calls.joinable;
  }

  /** @param image of the model's size */
  infer(image: ImageFrame): Promise<Inference> {
    return new Promise((resolve, reject) => this.#calls.push({ image, resolve, reject }));
  }

  /** Lets the worker read a stream. Its results come as events. */
  follow(setup: StreamSetup, events: StreamEvents): void {
    this.#streams.set(setup.stream, events);
    this.#worker.ref();
    this.#post({ type: 'follow', ...setup });
  }

  /** Size of the depth. */
  get size(): Size {
    return this.#size;
  }

  /**
   * Waits for the inference in progress, however long it takes: ONNX Runtime cannot be interrupted,
   * and terminating a worker during a run ends the whole process.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.ref();
    this.#post({ type: 'close' });
    await ended;
    await this.#companion?.close();
  }

  /** The worker has ended: settles what it had in hand. @returns why it ended */
  async #end(cause: string): Promise<DepthlineError> {
    const { name } = this.#model.manifest;
    const error = this.#closed
      ? new DepthlineError('MODEL', `${name}: its worker was closed`)
      : new EngineFailed(
          this.#model,
          (await this.#companion?.explain(cause)) ?? `its worker died: ${cause}`,
        );
    if (!this.#closed) await this.#companion?.close();
    for (const { reject } of this.#calls.takeAll()) reject(error);
    this.#leaveAll(error);
    return error;
  }

  #answer(response: Response): void {
    if (response.type === 'ready' || response.type === 'refused') return;
    if (response.type === 'frame') this.#onFrame(response);
    else if (response.type === 'left') this.#onLeft(response);
    else this.#onInference(response);
  }

  #onInference(response: Extract<Response, { type: 'depth' | 'failed' }>): void {
    if (response.type === 'failed') {
      this.#calls.taken(response.slot)?.pending.reject(this.#failure(response.failure));
    } else {
      const { ms } = response;
      for (const index of response.slots) {
        const taken = this.#calls.taken(index);
        taken?.pending.resolve({ depth: taken.slot.copyDepth(), ...this.#size, ms });
      }
    }
    this.#calls.begin();
    this.#unrefIfIdle();
  }

  #onFrame({ stream, slot: index, failure }: Extract<Response, { type: 'frame' }>): void {
    const slot = this.#slots[index] as Slot;
    const error = failure === undefined ? undefined : this.#failure(failure);
    this.#streams.get(stream)?.onFrame(slot, error);
    slot.free();
  }

  #onLeft({ stream, ...why }: Extract<Response, { type: 'left' }>): void {
    const events = this.#streams.get(stream);
    this.#streams.delete(stream);
    events?.onLeft(why);
    this.#unrefIfIdle();
  }

  /** The worker has ended: what it had finished is given, what it was at has failed. */
  #leaveAll(death: DepthlineError): void {
    const streams = new Map(this.#streams);
    this.#streams.clear();
    for (const slot of this.#slots) {
      const { frame } = slot;
      if (frame) streams.get(frame.stream)?.onFrame(slot, slot.isDone ? undefined : death);
    }
    for (const events of streams.values()) events.onDied();
  }

  #failure({ message, lost }: PictureFailure): DepthlineError {
    return lost
      ? new EngineFailed(this.#model, message)
      : new DepthlineError('MODEL', `${this.#model.manifest.name} failed: ${message}`);
  }

  #unrefIfIdle(): void {
    if (this.load === 0 && this.#streams.size === 0 && !this.#closed) this.#worker.unref();
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }
}

/** Of its heap, MiB: what lives there is small, and a large young generation would only fill with garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 1 };

type Ready = Extract<Response, { type: 'ready' }>;
type Refused = Extract<Response, { type: 'refused' }>;

function ready(worker: Worker): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the worker exited while loading it'));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', (response: Ready | Refused) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      if (response.type === 'ready') resolve(response);
      else reject(new DepthlineError(response.code, response.message));
    });
  });
}
