import { Worker } from 'node:worker_threads';
import { DepthlineError, reason } from './errors.ts';

/** A thread that does one job after the other: a message to it, and one back. */
export class JobThread<Request, Response> {
  readonly #worker: Worker;
  readonly #name: string;
  #waiting: { resolve(response: Response): void; reject(error: Error): void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ended: DepthlineError | undefined;

  /** @param name for messages: `registration` */
  constructor(entry: URL, name: string) {
    this.#name = name;
    this.#worker = new Worker(entry, { execArgv: [] });
    this.#worker.on('message', (response: Response) => this.#waiting?.resolve(response));
    this.#worker.on('error', (error) => this.#end(`failed: ${reason(error)}`, error));
    this.#worker.on('exit', (code) => this.#end(`ended with code ${code}`));
  }

  /**
   * Runs `job` when no other is running, so that it may use memory that the thread sees, too. Rejects with a
   * DepthlineError `OPERATOR` if the thread has ended.
   */
  run<Result>(
    job: (send: (request: Request) => Promise<Response>) => Promise<Result>,
  ): Promise<Result> {
    const result = this.#last.then(() => job((request) => this.#send(request)));
    this.#last = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    this.#end('was closed');
    await this.#worker.terminate();
  }

  async #send(request: Request): Promise<Response> {
    if (this.#ended) throw this.#ended;
    return new Promise<Response>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(request);
    });
  }

  #end(what: string, cause?: unknown): void {
    this.#ended ??= new DepthlineError('OPERATOR', `the ${this.#name} thread ${what}`, { cause });
    this.#waiting?.reject(this.#ended);
  }
}

/** Shared memory of at least so many bytes: this, or more of it. */
export function room(memory: SharedArrayBuffer, bytes: number): SharedArrayBuffer {
  return memory.byteLength >= bytes ? memory : new SharedArrayBuffer(bytes);
}
