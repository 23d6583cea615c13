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
  /** The output, for messages: `video "a.mkv"`. */
  readonly what: string;
  readonly candidates: readonly Candidate[];
  /** A more specific error than GStreamer's message, if there is one. */
  explain?(failure: Failure): Error | undefined;
  /** What is left of the output after a crash, and what to do; appended to the message. */
  readonly afterCrash: string;
}

/** The process ended without reporting a failure; a new one may work. */
export class OutputCrashed extends DepthlineError {}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * The parent's side of an output host: a child process that receives pictures one at a time and
 * encodes or displays them.
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
      entry: entryPoint('gstreamer/output/output-host'),
      // Rejected candidates keep polling their bus.
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

  /** Describes the pictures; call it once, before the first one. */
  play(message: Omit<PlayMessage, 'type'>): void {
    this.#process.tell({ type: 'play', ...message });
  }

  /**
   * Outputs one picture; call it for one at a time. Resolves when the pipeline is ready for the next.
   *
   * @param pts nanoseconds from the beginning
   * @param data packed rows in the format given to `play`
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
   * Ends the stream: all pictures are output and the file is complete.
   *
   * @returns path of the file, if there is one
   * @throws DepthlineError `SINK` if that fails or takes longer than `withinMs`, unless the same
   *   error was thrown by `write`
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

  /** Kills the process. Never rejects. */
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
