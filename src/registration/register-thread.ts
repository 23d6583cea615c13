import { Worker } from 'node:worker_threads';
import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Request, Response } from './protocol.ts';
import type { Job } from './upsample.ts';

/** Depth on the pixels of a picture. */
export interface Registered {
  /** float32 metres, `height × width` of the target; 0 is invalid. */
  readonly data: Float32Array;
  /** Time in the worker, milliseconds. */
  readonly ms: number;
}

/** A thread that places depth on pictures, one job after the other. */
export class RegisterThread {
  readonly #worker: Worker;
  #waiting: { resolve(response: Response): void; reject(error: Error): void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ended: DepthlineError | undefined;
  #depth = new SharedArrayBuffer(0);
  #pixels = new SharedArrayBuffer(0);
  #out = new SharedArrayBuffer(0);

  constructor() {
    this.#worker = new Worker(entryPoint('registration/worker'), { execArgv: [] });
    this.#worker.on('message', (response: Response) => this.#waiting?.resolve(response));
    this.#worker.on('error', (error) => this.#end(`failed: ${reason(error)}`, error));
    this.#worker.on('exit', (code) => this.#end(`ended with code ${code}`));
  }

  /** Rejects with a DepthlineError `OPERATOR` if the thread has ended. */
  run(job: Job): Promise<Registered> {
    // The memory holds one job.
    const result = this.#last.then(() => this.#run(job));
    this.#last = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    this.#end('was closed');
    await this.#worker.terminate();
  }

  async #run({ depth, target, picture, method }: Job): Promise<Registered> {
    if (this.#ended) throw this.#ended;
    const count = target.size.width * target.size.height;
    this.#depth = room(this.#depth, depth.data.byteLength);
    this.#pixels = room(this.#pixels, picture?.data.byteLength ?? 0);
    this.#out = room(this.#out, count * Float32Array.BYTES_PER_ELEMENT);
    new Float32Array(this.#depth).set(depth.data);
    if (picture) new Uint8Array(this.#pixels).set(picture.data);
    const request: Request = {
      depth: this.#depth,
      placed: { size: depth.size, view: depth.view },
      target,
      pixels: picture && this.#pixels,
      format: picture?.format ?? 'rgb',
      method,
      out: this.#out,
    };
    const { ms } = await new Promise<Response>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(request);
    });
    return { data: new Float32Array(new Float32Array(this.#out, 0, count)), ms };
  }

  #end(what: string, cause?: unknown): void {
    this.#ended ??= new DepthlineError('OPERATOR', `the registration thread ${what}`, { cause });
    this.#waiting?.reject(this.#ended);
  }
}

/** The memory, or more of it. */
function room(memory: SharedArrayBuffer, bytes: number): SharedArrayBuffer {
  return memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes);
}
