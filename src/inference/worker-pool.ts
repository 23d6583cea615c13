import { Worker } from 'node:worker_threads';
import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame } from '../core/frame.ts';
import type { Model } from './manifest.ts';
import type { Response, WorkerSetup } from './protocol.ts';

export interface PoolOptions {
  /** Sessions, each in a thread of its own. */
  readonly workers: number;
  /** ONNX Runtime's intra-op threads per session. */
  readonly threads: number;
  readonly providers: readonly string[];
  /** Called when a worker that died has been replaced. */
  readonly onRestart?: (reason: string) => void;
}

/** What a model made of one picture. */
export interface Inference {
  /** float32 metres, `height × width`. */
  readonly depth: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Time in the worker, milliseconds. */
  readonly ms: number;
}

interface Pending {
  readonly resolve: (inference: Inference) => void;
  readonly reject: (error: Error) => void;
}

/** A worker that dies this often without a result between has a model that cannot run here. */
const restartLimit = 3;

interface Member {
  worker: Worker;
  readonly pending: Map<number, Pending>;
  deaths: number;
}

/** Sessions of one model in worker threads; pictures go to the one with the least to do. */
export class WorkerPool {
  readonly model: Model;
  readonly #options: PoolOptions;
  readonly #members: Member[] = [];
  /** Input buffers that came back from workers. */
  readonly #buffers: ArrayBuffer[] = [];
  #nextId = 0;
  #closed = false;

  private constructor(model: Model, options: PoolOptions) {
    this.model = model;
    this.#options = options;
  }

  /**
   * Starts the workers and loads the model in each.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded or its manifest does not fit
   */
  static async open(model: Model, options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(model, options);
    try {
      await Promise.all(Array.from({ length: options.workers }, () => pool.#addMember()));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** Depth of one picture of the model's size. Rejects if the model fails on it. */
  infer(image: ImageFrame): Promise<Inference> {
    const { width, height } = this.model.manifest.input;
    if (image.width !== width || image.height !== height) {
      const message = `${this.model.manifest.name} takes ${width}×${height} pictures, not ${image.width}×${image.height}`;
      return Promise.reject(new DepthlineError('MODEL', message));
    }
    const member = this.#members.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      member.pending.set(id, { resolve, reject });
      // The frame keeps its bytes, so the worker gets a copy, in a buffer that has been there before.
      const buffer = this.#buffer(image.data.length);
      new Uint8Array(buffer).set(image.data);
      const request = { id, rgb: buffer, alpha: image.format === 'rgba' };
      member.worker.postMessage(request, [buffer]);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#members.map((member) => member.worker.terminate()));
  }

  #buffer(size: number): ArrayBuffer {
    const buffer = this.#buffers.pop();
    return buffer?.byteLength === size ? buffer : new ArrayBuffer(size);
  }

  async #addMember(): Promise<void> {
    const { worker, ready } = this.#startWorker();
    const member: Member = { worker, pending: new Map(), deaths: 0 };
    this.#members.push(member);
    await ready;
    this.#attach(member);
  }

  #startWorker(): { worker: Worker; ready: Promise<void> } {
    const { manifest, path } = this.model;
    const { threads, providers } = this.#options;
    const workerData: WorkerSetup = { path, manifest, threads, providers };
    const worker = new Worker(entryPoint(import.meta.url, './worker'), { workerData });
    const ready = new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(loadError(this.model, providers, error));
      worker.once('error', fail);
      worker.once('exit', () => fail(new Error('the inference worker ended while loading')));
      worker.once('message', (response: Response) => {
        if (response.type !== 'ready') return;
        worker.removeAllListeners();
        if (response.problem === undefined) resolve();
        else reject(misfit(this.model, response.problem, response.description));
      });
    });
    return { worker, ready };
  }

  #attach(member: Member): void {
    const { worker } = member;
    let cause = 'exited';
    worker.on('message', (response: Response) => this.#answer(member, response));
    worker.on('error', (error) => {
      cause = reason(error);
    });
    worker.on('exit', () => {
      if (!this.#closed) void this.#replace(member, cause);
    });
  }

  #answer(member: Member, response: Response): void {
    if (response.type === 'ready') return;
    const pending = member.pending.get(response.id);
    member.pending.delete(response.id);
    if (response.type === 'failed') {
      pending?.reject(
        new DepthlineError('MODEL', `${this.model.manifest.name}: ${response.message}`),
      );
      return;
    }
    member.deaths = 0;
    if (this.#buffers.length < 2 * this.#options.workers) this.#buffers.push(response.rgb);
    const { depth, width, height, ms } = response;
    pending?.resolve({ depth: new Float32Array(depth), width, height, ms });
  }

  async #replace(member: Member, cause: string): Promise<void> {
    const error = new DepthlineError('MODEL', `the inference worker died: ${cause}`);
    for (const pending of member.pending.values()) pending.reject(error);
    member.pending.clear();
    if (++member.deaths > restartLimit) {
      this.#members.splice(this.#members.indexOf(member), 1);
      if (this.#members.length === 0) this.infer = () => Promise.reject(error);
      return;
    }
    const { worker, ready } = this.#startWorker();
    // Requests posted from now on wait in the new worker's mailbox until its model is loaded.
    member.worker = worker;
    try {
      await ready;
      this.#attach(member);
      this.#options.onRestart?.(cause);
    } catch (failure) {
      void this.#replace(member, reason(failure));
    }
  }
}

function loadError(model: Model, providers: readonly string[], error: unknown): DepthlineError {
  const advice = providers.some((provider) => provider !== 'cpu')
    ? `; is the provider there? (asked for: ${providers.join(', ')}; "cpu" always is)`
    : '';
  return new DepthlineError(
    'MODEL',
    `${model.path} could not be loaded: ${reason(error)}${advice}`,
    {
      cause: error,
    },
  );
}

function misfit(model: Model, problem: string, description: string): DepthlineError {
  return new DepthlineError(
    'MODEL',
    `${model.path} does not fit its manifest: ${problem}, but the model has ${description}; correct the manifest's input and output lines`,
  );
}
