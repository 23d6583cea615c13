import { Worker } from 'node:worker_threads';
import { entryPoint } from '../core/entry-point.ts';
import type { StageListener } from '../runtime/stage-times.ts';

/** The `workerData` of the watching thread. */
export interface HangWatchSetup {
  /** Two int32: a counter that the main thread increments, and the number of the current stage. */
  readonly state: SharedArrayBuffer;
  /** Interval of checks, milliseconds. */
  readonly everyMs: number;
  /** Report as JSON objects. */
  readonly json: boolean;
}
export interface StageName {
  readonly number: number;
  readonly name: string;
}

const everyMs = 500;

/**
 * Reports from another thread that the main thread does not return from a stage, such as an endless
 * loop in a user's operator, and which stage that is.
 */
export class HangWatch implements StageListener {
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  readonly #inside: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #worker: Worker;
  readonly #timer: NodeJS.Timeout;

  /** @param json report as JSON objects, as `--log json` wants it */
  constructor(json = false) {
    const workerData: HangWatchSetup = { state: this.#state.buffer, everyMs, json };
    this.#worker = new Worker(entryPoint('cli/hang-watch-worker'), {
      workerData,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    // A run does not depend on it.
    this.#worker.on('error', () => {});
    this.#worker.unref();
    this.#timer = setInterval(() => Atomics.add(this.#state, 0, 1), everyMs / 2);
    this.#timer.unref();
  }

  enter(stage: string): void {
    let number = this.#numbers.get(stage);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(stage, number);
      this.#worker.postMessage({ number, name: stage } satisfies StageName);
    }
    this.#inside.push(number);
    Atomics.store(this.#state, 1, number);
  }

  leave(): void {
    this.#inside.pop();
    Atomics.store(this.#state, 1, this.#inside.at(-1) ?? 0);
  }

  close(): void {
    clearInterval(this.#timer);
    void this.#worker.terminate();
  }
}
