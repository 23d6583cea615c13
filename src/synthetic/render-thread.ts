import { Worker } from 'node:worker_threads';
import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { FilmSettings } from './film.ts';
import type { Request, Response } from './protocol.ts';

interface Waiting {
  resolve(response: Response): void;
  reject(error: Error): void;
}

/** A thread that renders the frames of one film, in the order they are asked for. */
export class RenderThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: DepthlineError | undefined;

  constructor(settings: FilmSettings) {
    this.#worker = new Worker(entryPoint('synthetic/worker'), {
      workerData: settings,
      execArgv: [],
    });
    this.#worker.on('message', (response: Response) => this.#waiting.shift()?.resolve(response));
    this.#worker.on('error', (error) => this.#end(`failed: ${reason(error)}`, error));
    this.#worker.on('exit', (code) => this.#end(`ended with code ${code}`));
  }

  /** Renders frame `index`. Rejects with a DepthlineError `SOURCE` if the thread has ended. */
  render(index: number): Promise<Response> {
    if (this.#ended) return Promise.reject(this.#ended);
    const result = new Promise<Response>((resolve, reject) =>
      this.#waiting.push({ resolve, reject }),
    );
    // A frame rendered ahead may never be asked for; whoever awaits it still gets the error.
    result.catch(() => {});
    const request: Request = { index };
    this.#worker.postMessage(request);
    return result;
  }

  async close(): Promise<void> {
    this.#end('was closed');
    await this.#worker.terminate();
  }

  #end(what: string, cause?: unknown): void {
    this.#ended ??= new DepthlineError('SOURCE', `the render thread ${what}`, { cause });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
