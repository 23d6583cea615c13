import { Worker } from 'node:worker_threads';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame } from '../core/frame.ts';
import type { Model } from './model-files.ts';
import type { Request, Response, WorkerSetup } from './protocol.ts';

/** What a model made of one picture. */
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
  /** ONNX Runtime's intra-op threads. */
  readonly threads: number;
  /** ONNX Runtime's execution providers, best first. */
  readonly providers: readonly string[];
  /** Gets the input buffers back. */
  readonly recycle: (buffer: ArrayBuffer) => void;
}

interface Pending {
  readonly resolve: (inference: Inference) => void;
  readonly reject: (error: Error) => void;
}

/** How long a worker may take to finish what it is at before it is ended, milliseconds. */
const closeMs = 1000;

/** One session of a model, in a worker thread of its own. */
export class InferenceThread {
  /** Resolves with the reason if the worker ends without having been closed. */
  readonly died: Promise<DepthlineError>;
  readonly #worker: Worker;
  readonly #model: Model;
  readonly #recycle: (buffer: ArrayBuffer) => void;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #closed = false;

  private constructor(worker: Worker, model: Model, recycle: (buffer: ArrayBuffer) => void) {
    this.#worker = worker;
    this.#model = model;
    this.#recycle = recycle;
    let cause = 'it exited';
    worker.on('message', (response: Response) => this.#answer(response));
    worker.on('error', (error) => {
      cause = reason(error);
    });
    this.died = new Promise((resolve) => {
      worker.on('exit', () => {
        const what = this.#closed ? 'was closed' : `died: ${cause}`;
        const error = new DepthlineError('MODEL', `${model.manifest.name}: its worker ${what}`);
        for (const pending of this.#pending.values()) pending.reject(error);
        this.#pending.clear();
        if (!this.#closed) resolve(error);
      });
    });
  }

  /**
   * Starts the worker, loads the model and runs it once.
   *
   * @throws DepthlineError `MODEL` if it cannot be loaded, or its manifest does not fit
   */
  static async start(model: Model, options: ThreadOptions): Promise<InferenceThread> {
    const { manifest, path } = model;
    const { entry, threads, providers, recycle } = options;
    const workerData: WorkerSetup = { path, manifest, threads, providers };
    const worker = new Worker(entry, { workerData });
    try {
      const { problem, description } = await ready(worker);
      if (problem !== undefined) throw misfit(model, problem, description);
      return new InferenceThread(worker, model, recycle);
    } catch (error) {
      await worker.terminate();
      throw error instanceof DepthlineError ? error : loadError(model, providers, error);
    }
  }

  /** Pictures that it has not answered yet. */
  get load(): number {
    return this.#pending.size;
  }

  /**
   * @param image of the model's size
   * @param buffer as long as the image's data; the picture is copied into it, since a frame keeps
   *   its own bytes
   */
  infer(image: ImageFrame, buffer: ArrayBuffer): Promise<Inference> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      new Uint8Array(buffer).set(image.data);
      this.#post({ type: 'infer', id, pixels: buffer, alpha: image.format === 'rgba' }, [buffer]);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#post({ type: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), closeMs);
    await ended;
    clearTimeout(timer);
  }

  #answer(response: Response): void {
    if (response.type === 'ready') return;
    this.#recycle(response.pixels);
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (response.type === 'failed') {
      const message = `${this.#model.manifest.name} failed: ${response.message}`;
      pending?.reject(new DepthlineError('MODEL', message));
      return;
    }
    const { depth, width, height, ms } = response;
    pending?.resolve({ depth: new Float32Array(depth), width, height, ms });
  }

  #post(request: Request, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}

type Ready = Extract<Response, { type: 'ready' }>;

function ready(worker: Worker): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('its worker ended while loading it'));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', (response: Ready) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      resolve(response);
    });
  });
}

function loadError(model: Model, providers: readonly string[], cause: unknown): DepthlineError {
  const others = providers.filter((provider) => provider !== 'cpu');
  const advice =
    others.length > 0
      ? `; is ${others.join(' or ')} there? Its libraries come with the CUDA build of onnxruntime-node (\`depthline doctor\` shows what this machine has); providers: [cpu] always works`
      : '; is it an ONNX model, and whole?';
  const message = `${model.path} cannot be loaded: ${reason(cause)}${advice}`;
  return new DepthlineError('MODEL', message, { cause });
}

function misfit(model: Model, problem: string, description: string): DepthlineError {
  return new DepthlineError(
    'MODEL',
    `${model.path} does not fit its manifest: ${problem}, but the model has ${description}; correct ${model.manifestPath}`,
  );
}
