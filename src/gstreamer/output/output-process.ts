import { entryPoint } from '../../core/entry-point.ts';
import { DepthlineError } from '../../core/errors.ts';
import { GStreamerProcess } from '../child-process.ts';
import type { Failure } from '../failure.ts';
import { explainFailure, isMissing } from '../failures.ts';
import {
  type Candidate,
  type FromOutput,
  type PlayMessage,
  ptsLength,
  type ToOutput,
} from './output-protocol.ts';

export interface OutputOptions {
  /** What is put out, for messages: `video "a.mkv"`. */
  readonly what: string;
  readonly candidates: readonly Candidate[];
  /** Another error than GStreamer's words, where one fits better. */
  explain?(failure: Failure): Error | undefined;
  /** What is left of the output after a crash, and what to do; appended to the message. */
  readonly afterCrash: string;
}

/** The process ended without a word about why. A new one may do better. */
export class OutputCrashed extends DepthlineError {}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * One output host, seen from the parent: a child process that takes pictures one at a time and
 * encodes or shows them.
 */
export class OutputProcess {
  readonly #options: OutputOptions;
  readonly #process: GStreamerProcess<ToOutput, FromOutput>;
  readonly #opened: Promise<Candidate>;
  #onOpened: (candidate: Candidate) => void = () => {};
  #waiting: Waiting | undefined;
  #error: Error | undefined;
  #errorTold = false;
  #finished = false;
  #path: string | undefined;
  #ending = false;

  /** Starts the process; `opened` says when it is ready. */
  constructor(options: OutputOptions) {
    this.#options = options;
    this.#process = new GStreamerProcess({
      entry: entryPoint(import.meta.url, './output-host'),
      // Candidates that were tried go on polling their bus.
      threads: 16,
      logLevel: 1,
      onMessage: (message: FromOutput) => this.#onMessage(message),
      onExit: (how) => {
        if (!this.#finished) this.#fail(this.#crash(how));
      },
    });
    this.#process.stream.on('data', () => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve();
    });
    this.#opened = new Promise((resolve, reject) => {
      this.#waiting = { resolve: () => {}, reject };
      this.#onOpened = resolve;
    });
    this.#process.tell({ type: 'open', candidates: options.candidates });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * The first candidate that works on this machine.
   *
   * @throws DepthlineError `MISSING` or `SINK` if none does
   */
  get opened(): Promise<Candidate> {
    return this.#opened;
  }

  /** Says what the pictures will be; to be called once, before the first one. */
  play(message: Omit<PlayMessage, 'type'>): void {
    this.#process.tell({ type: 'play', ...message });
  }

  /**
   * Puts out one picture; one at a time. Resolves when the pipeline is ready for the next.
   *
   * @param pts nanoseconds from the beginning
   * @param data rows without padding, as `play` said
   * @throws DepthlineError `SINK` if the process failed or crashed
   */
  write(pts: bigint, data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error) {
        this.#errorTold = true;
        reject(this.#error);
        return;
      }
      this.#waiting = { resolve, reject };
      const header = Buffer.allocUnsafe(ptsLength);
      header.writeBigUInt64BE(pts);
      this.#process.stream.cork();
      this.#process.stream.write(header);
      this.#process.stream.write(data);
      this.#process.stream.uncork();
    });
  }

  /**
   * Ends in good order: everything is put out, and a file is complete.
   *
   * @returns path of the file, if there is one
   * @throws DepthlineError `SINK` if that fails or takes longer than `withinMs`, unless the same
   *   error was told by `write`
   */
  async finish(withinMs: number): Promise<string | undefined> {
    this.#ending = true;
    this.#process.stream.end();
    const timer = setTimeout(() => {
      this.#fail(
        new DepthlineError(
          'SINK',
          `${this.#options.what} was not complete after ${withinMs} ms; ${this.#options.afterCrash}`,
        ),
      );
      this.#process.kill();
    }, withinMs);
    await this.#process.gone;
    clearTimeout(timer);
    if (this.#error && !this.#errorTold) throw this.#error;
    return this.#path;
  }

  /** Ends at once. Never rejects. */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#finished = true;
    this.#process.kill();
    await this.#process.gone;
  }

  #onMessage(message: FromOutput): void {
    if (message.type === 'opened') {
      this.#waiting = undefined;
      this.#onOpened(this.#options.candidates[message.candidate] as Candidate);
    }
    if (message.type === 'finished') {
      this.#finished = true;
      this.#path = message.path;
      if (!this.#ending) this.#fail(this.#crash('at its end of stream'));
    }
    if (message.type === 'failed') {
      this.#finished = true;
      this.#fail(this.#failed(message.failure));
    }
  }

  #failed(failure: Failure): Error {
    const { what, explain } = this.#options;
    const code = isMissing(failure) ? 'MISSING' : 'SINK';
    return (
      explain?.(failure) ??
      new DepthlineError(code, explainFailure(what, failure, this.#process.stderr))
    );
  }

  #crash(how: string): OutputCrashed {
    const { what, afterCrash } = this.#options;
    const log = this.#process.stderr.split('\n').at(-1);
    const detail = log ? ` [${log}]` : '';
    return new OutputCrashed(
      'SINK',
      `${what}: its GStreamer process ended, ${how}${detail}; ${afterCrash}`,
    );
  }

  #fail(error: Error): void {
    if (this.#error) return;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return;
    this.#errorTold = true;
    waiting.reject(error);
  }
}
