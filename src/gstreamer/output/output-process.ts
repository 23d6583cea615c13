import { type ChildProcess, fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { entryPoint } from '../../core/entry-point.ts';
import { DepthlineError, reason } from '../../core/errors.ts';
import type { Failure } from '../failure.ts';
import { explainFailure, isMissing } from '../failures.ts';
import {
  type Candidate,
  type FromOutput,
  type PlayMessage,
  pictureFd,
  ptsLength,
  type ToOutput,
} from './output-protocol.ts';

const stderrTail = 4000;

export interface OutputOptions {
  /** What is put out, for messages: `video "a.mkv"`. */
  readonly what: string;
  readonly candidates: readonly Candidate[];
  /** Another error than GStreamer's words, where one fits better. */
  explain?(failure: Failure): Error | undefined;
  /** What is left of the output after a crash, and what to do; appended to the message. */
  readonly afterCrash: string;
}

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
  readonly #child: ChildProcess;
  readonly #pictures: Duplex;
  /** Resolves when the process is gone. Never rejects. */
  readonly #gone: Promise<void>;
  readonly #opened: Promise<Candidate>;
  #waiting: Waiting | undefined;
  #error: Error | undefined;
  #errorTold = false;
  #finished = false;
  #ending = false;
  #stderr = '';

  /** Starts the process; `opened` says when it is ready. */
  constructor(options: OutputOptions) {
    this.#options = options;
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'] as const;
    this.#child = fork(entryPoint(import.meta.url, './output-host'), [], {
      stdio: [...stdio],
      execArgv: [],
      env: {
        ...process.env,
        // Each bus poll blocks a thread, also those of candidates that were tried.
        UV_THREADPOOL_SIZE: '16',
        GST_DEBUG: process.env.GST_DEBUG ?? '1',
        GST_DEBUG_NO_COLOR: '1',
      },
    });
    this.#pictures = this.#child.stdio[pictureFd] as Duplex;
    this.#gone = new Promise((resolve) => this.#watch(resolve));
    this.#opened = new Promise((resolve, reject) => {
      this.#waiting = { resolve: () => {}, reject };
      this.#child.on('message', (message: FromOutput) => {
        if (message.type !== 'opened') return this.#onMessage(message);
        this.#waiting = undefined;
        resolve(options.candidates[message.candidate] as Candidate);
      });
    });
    this.#tell({ type: 'open', candidates: options.candidates });
  }

  get pid(): number | undefined {
    return this.#child.pid;
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
    this.#tell({ type: 'play', ...message });
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
      this.#pictures.cork();
      this.#pictures.write(header);
      this.#pictures.write(data);
      this.#pictures.uncork();
    });
  }

  /**
   * Ends in good order: everything is put out, and a file is complete.
   *
   * @throws DepthlineError `SINK` if that fails or takes longer than `withinMs`, unless the same
   *   error was told by `write`
   */
  async finish(withinMs: number): Promise<void> {
    this.#ending = true;
    this.#pictures.end();
    const timer = setTimeout(() => {
      this.#fail(
        new DepthlineError(
          'SINK',
          `${this.#options.what} was not complete after ${withinMs} ms; ${this.#options.afterCrash}`,
        ),
      );
      this.#kill();
    }, withinMs);
    await this.#gone;
    clearTimeout(timer);
    if (this.#error && !this.#errorTold) throw this.#error;
  }

  /** Ends at once. Never rejects. */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#finished = true;
    this.#kill();
    await this.#gone;
  }

  #kill(): void {
    this.#pictures.destroy();
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToOutput): void {
    // A failure to send means that the process is gone, which its exit reports.
    this.#child.send(message, () => {});
  }

  #watch(gone: () => void): void {
    const child = this.#child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrTail);
    });
    this.#pictures.on('data', () => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve();
    });
    // A broken pipe means that the process is gone, which its exit reports.
    this.#pictures.on('error', () => {});
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      this.#fail(new DepthlineError('SINK', `cannot start a process: ${reason(error)}`));
      gone();
    });
    child.on('close', (code, signal) => {
      if (!this.#finished) this.#fail(this.#crash(signal ? `by ${signal}` : `exit code ${code}`));
      this.#pictures.destroy();
      gone();
    });
  }

  #onMessage(message: FromOutput): void {
    if (message.type === 'finished') {
      this.#finished = true;
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
      explain?.(failure) ?? new DepthlineError(code, explainFailure(what, failure, this.#stderr))
    );
  }

  #crash(how: string): DepthlineError {
    const { what, afterCrash } = this.#options;
    const log = this.#stderr.trim().split('\n').at(-1);
    const detail = log ? ` [${log}]` : '';
    return new DepthlineError(
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
