import { Worker } from 'node:worker_threads';
import { entryPoint } from '../../core/entry-point.ts';
import { DepthlineError, reason } from '../../core/errors.ts';
import type { Picture } from '../../core/frame.ts';
import type { Size } from '../../core/size.ts';
import type { StereoGeometry } from '../../depth/disparity.ts';
import { unloadable } from '../engines/onnxruntime-main.ts';
import { misfit } from '../model-contract.ts';
import { guardExit, nativeState } from '../native-guard.ts';
import { defaultSettings, type SessionSettings } from '../session-settings.ts';
import { dropAlpha } from '../tensors.ts';
import type {
  DisparityCheck,
  StereoRequest,
  StereoResponse,
  StereoWorkerSetup,
} from './protocol.ts';
import type { StereoModel } from './stereo-manifest.ts';

/** Two pictures of the model's size. */
export interface Pair {
  readonly left: Picture;
  readonly right: Picture;
}

export interface StereoResult extends Size {
  /** float32, `height × width`; 0 is invalid: metres, or pixels of this size. */
  readonly data: Float32Array;
  /** Time in the worker, milliseconds. */
  readonly ms: number;
}

export interface StereoThreadOptions {
  /** ONNX Runtime's intra-op threads. */
  readonly threads: number;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  readonly session?: SessionSettings | undefined;
  readonly check: DisparityCheck;
  /** Valid depth, metres. */
  readonly range: readonly [number, number];
  /** Where the worker starts; for tests. */
  readonly entry?: URL | undefined;
}

type Done = Extract<StereoResponse, { type: 'done' | 'failed' }>;
type Ready = Extract<StereoResponse, { type: 'ready' }>;

/** The worker ended while a pair was in flight. */
export class StereoWorkerDied extends DepthlineError {}

/** One session of a model for pairs, in a thread of its own; one pair at a time. */
export class StereoThread {
  /** What the user should know of it: a provider that cannot be used. */
  readonly notes: readonly string[];
  readonly #worker: Worker;
  readonly #model: StereoModel;
  readonly #pixels: Uint8Array;
  readonly #size: Size;
  readonly #depth: Float32Array;
  #waiting: { resolve(done: Done): void; reject(error: Error): void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #load = 0;
  #ended: DepthlineError | undefined;
  #closed = false;

  private constructor(worker: Worker, model: StereoModel, pixels: SharedArrayBuffer, ready: Ready) {
    this.#worker = worker;
    this.#model = model;
    this.#pixels = new Uint8Array(pixels);
    this.notes = ready.notes;
    this.#size = { width: ready.width, height: ready.height };
    this.#depth = new Float32Array(ready.depth);
    let cause = 'it exited';
    worker.on('message', (done: Done) => this.#waiting?.resolve(done));
    worker.on('error', (error) => {
      cause = reason(error);
    });
    worker.on('exit', () => {
      const { name } = model.manifest;
      this.#ended = this.#closed
        ? new DepthlineError('MODEL', `${name} is closed`)
        : new StereoWorkerDied('MODEL', `${name}: its worker died: ${cause}`);
      this.#waiting?.reject(this.#ended);
    });
    worker.unref();
  }

  /**
   * Starts the worker, loads the model and runs it once.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded, or its manifest does not fit
   */
  static async start(model: StereoModel, options: StereoThreadOptions): Promise<StereoThread> {
    const { manifest, path } = model;
    const { width, height } = manifest.input;
    const { entry, session = defaultSettings, ...rest } = options;
    const native = nativeState();
    const pixels = new SharedArrayBuffer(2 * width * height * 3);
    const workerData: StereoWorkerSetup = { path, manifest, session, native, pixels, ...rest };
    const worker = new Worker(entry ?? entryPoint('inference/stereo/stereo-worker'), {
      workerData,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
    worker.once('exit', guardExit(native));
    try {
      const answer = await firstAnswer(worker);
      if (answer.type === 'unfit') throw misfit(model, answer.problem, answer.description);
      return new StereoThread(worker, model, pixels, answer);
    } catch (error) {
      await worker.terminate();
      if (error instanceof DepthlineError) throw error;
      throw unloadable(path, options.providers, error);
    }
  }

  /** Pairs in flight. */
  get load(): number {
    return this.#load;
  }

  get dead(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Depth of a pair, or without a geometry its disparity. Rejects with a DepthlineError `MODEL` if the model
   * fails on it, with a StereoWorkerDied if the worker dies.
   */
  infer(pair: Pair, geometry: StereoGeometry | undefined): Promise<StereoResult> {
    this.#load++;
    const result = this.#last.then(() => this.#run(pair, geometry));
    this.#last = result.catch(() => {});
    return result.finally(() => {
      this.#load--;
    });
  }

  async #run({ left, right }: Pair, geometry: StereoGeometry | undefined): Promise<StereoResult> {
    if (this.#ended) throw this.#ended;
    const half = this.#pixels.length / 2;
    for (const [i, { format, data }] of [left, right].entries()) {
      const place = this.#pixels.subarray(i * half, (i + 1) * half);
      if (format === 'rgba') dropAlpha(data, place);
      else place.set(data);
    }
    this.#worker.ref();
    const done = await new Promise<Done>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#post({ type: 'infer', geometry });
    }).finally(() => {
      this.#waiting = undefined;
      if (!this.#closed) this.#worker.unref();
    });
    if (done.type === 'failed') {
      throw new DepthlineError('MODEL', `${this.#model.manifest.name} failed: ${done.message}`);
    }
    return { ...this.#size, data: this.#depth.slice(), ms: done.ms };
  }

  /** Waits for the pair in progress: terminating a worker during a run ends the whole process. */
  async close(): Promise<void> {
    if (this.#closed || this.#ended) return;
    this.#closed = true;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.ref();
    this.#post({ type: 'close' });
    await ended;
  }

  #post(request: StereoRequest): void {
    this.#worker.postMessage(request);
  }
}

function firstAnswer(
  worker: Worker,
): Promise<Extract<StereoResponse, { type: 'ready' | 'unfit' }>> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the worker exited while loading it'));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', (response: Extract<StereoResponse, { type: 'ready' | 'unfit' }>) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      resolve(response);
    });
  });
}
