import type { RawFrame, StreamHandle, StreamReader } from '../../core/capture-stream.ts';
import { entryPoint } from '../../core/entry-point.ts';
import type { Size } from '../../core/size.ts';
import type { StreamForm } from '../../stream/form.ts';
import { readHere } from '../../stream/read-here.ts';
import { GStreamerProcess } from '../child-process.ts';
import type { Failure } from '../failure.ts';
import { pictureName } from '../launch-line.ts';
import type { FromHost, ToHost } from './capture-protocol.ts';

/** How a capture process ended. */
export type CaptureEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly stderr: string }
  | { readonly kind: 'crashed'; readonly how: string; readonly stderr: string };

export interface CaptureHandlers {
  onFrame(frame: RawFrame): void;
  /** The decoder has dropped so many damaged pictures since the process was started. */
  onDamaged(total: number): void;
  /** Called once, after the last frame, unless the process was stopped. */
  onEnd(end: CaptureEnd): void;
}

/** How long a pipeline may take to shut down before it is killed, milliseconds. */
const stopWithinMs = 200;

/**
 * One capture host, seen from the parent: a child process whose pipeline writes frames to a socket. They
 * are read as they are asked for, here or by the threads of a `StreamReader`.
 */
export class CaptureProcess {
  /** Resolves with the reason why the launch line does not parse, if it does not. */
  readonly prepared: Promise<Failure | undefined>;
  /** Size of the source's picture, where the launch line reports it; known before the first frame. */
  sourceSize: Size | undefined;
  /** What PTS of a live source count from, monotonic nanoseconds; known before its first frame. */
  runningSince: bigint | undefined;
  readonly #process: GStreamerProcess<ToHost, FromHost>;
  #handlers: CaptureHandlers | undefined;
  #stream: StreamHandle | undefined;
  /** Frames that came before what was to be known before them. */
  #early: RawFrame[] = [];
  #measures: boolean;
  #settlePrepared!: (failure: Failure | undefined) => void;
  #streamEnded = false;
  #outcome: CaptureEnd | undefined;
  #over = false;

  /** Starts the process, which builds the pipeline but does not run it. */
  constructor(launchLine: string) {
    this.#measures = launchLine.includes(pictureName);
    this.prepared = new Promise((resolve) => {
      this.#settlePrepared = resolve;
    });
    this.#process = new GStreamerProcess({
      entry: entryPoint('bundle/capture-host'),
      // The bus poll blocks one.
      threads: 2,
      // Warnings too: decodebin swallows some errors, and then the log alone has the reason.
      logLevel: 2,
      onMessage: (message: FromHost) => this.#onMessage(message),
      onExit: (how) => {
        this.#settlePrepared(undefined);
        // Frames of a stream that came to its end may not have been asked for yet.
        if (this.#outcome) return;
        this.#outcome = { kind: 'crashed', how, stderr: this.stderr };
        this.#settle(this.#outcome);
      },
    });
    // The launch line goes over IPC: it may hold a password, and `ps` shows arguments to everyone.
    this.#process.tell({ type: 'prepare', launchLine });
  }

  /**
   * Runs the pipeline.
   *
   * @param reader reads the frames, in place of this thread
   * @param form what the frames are, if this thread reads them; default: RGB pictures
   */
  start(handlers: CaptureHandlers, reader?: StreamReader, form?: StreamForm): void {
    this.#handlers = handlers;
    const parts = {
      onFrame: (frame: RawFrame) => this.#onFrame(frame),
      onEnd: (damage?: string, forGood?: boolean) => this.#onStreamEnd(damage, forGood),
    };
    const descriptor = reader && this.#process.detach();
    this.#stream =
      descriptor === undefined
        ? readHere(this.#process.stream, parts, form)
        : (reader as StreamReader).read(descriptor, parts);
    this.#process.tell({ type: 'start' });
    if (this.#outcome) this.#settle(this.#outcome);
  }

  /** Whether it keeps the program running: not while it waits for the rest of a pipeline. */
  hold(keeps: boolean): void {
    this.#process.hold(keeps);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The end of GStreamer's log. */
  get stderr(): string {
    return this.#process.stderr;
  }

  /** The end of what the pipeline's elements printed. */
  get printed(): string {
    return this.#process.stdout;
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<void> {
    return this.#process.gone;
  }

  get stream(): StreamHandle | undefined {
    return this.#stream;
  }

  /** Ends the process: at once, or after its pipeline has shut down. No callback runs afterwards. */
  stop(how: 'at once' | 'in order') {
    if (this.#over) return;
    this.#over = true;
    if (how === 'at once' || !this.#process.connected) return this.#kill();
    this.#process.tell({ type: 'stop' });
    const timer = setTimeout(() => this.#process.kill(), stopWithinMs);
    this.gone.then(() => clearTimeout(timer));
    this.#release();
  }

  #kill() {
    this.#process.kill();
    this.#release();
  }

  #release() {
    if (this.#stream) void this.#stream.close().then(() => this.#process.release());
    else this.#process.release();
  }

  #onFrame(frame: RawFrame) {
    if (this.#over) return;
    this.#early.push(frame);
    this.#flush();
  }

  /** Passes frames on once all is known that has to be known before them. */
  #flush() {
    const known = this.runningSince !== undefined && !(this.#measures && !this.sourceSize);
    // Nothing more is said once there is an outcome.
    if (!known && !this.#outcome) return;
    for (let frame = this.#early.shift(); frame && !this.#over; frame = this.#early.shift()) {
      this.#handlers?.onFrame(frame);
    }
  }

  #onMessage(message: FromHost) {
    if (this.#over) return;
    switch (message.type) {
      case 'prepared':
        this.#settlePrepared(undefined);
        return;
      case 'running':
        this.runningSince = BigInt(message.since);
        this.#flush();
        return;
      case 'source-size':
        this.sourceSize = message.size;
        this.#flush();
        return;
      case 'damaged':
        this.#handlers?.onDamaged(message.total);
        return;
      case 'failed':
        if (message.failure.phase === 'parse') this.#settlePrepared(message.failure);
        this.#outcome = { kind: 'failed', failure: message.failure, stderr: '' };
        break;
      case 'ended':
        this.#outcome = { kind: 'ended' };
    }
    this.#flush();
    if (this.#streamEnded) this.#settle(this.#outcome);
  }

  #onStreamEnd(damage: string | undefined, forGood = false) {
    if (damage !== undefined && forGood) {
      const failure = { phase: 'parse', message: damage } as const;
      this.#settle({ kind: 'failed', failure, stderr: '' });
      return;
    }
    if (damage !== undefined) {
      const how = `sent damaged data: ${damage}`;
      this.#settle({ kind: 'crashed', how, stderr: this.stderr });
      return;
    }
    this.#streamEnded = true;
    this.#release();
    if (this.#outcome) this.#settle(this.#outcome);
  }

  /** Reports the end once neither frames nor a reason can follow. */
  #settle(end: CaptureEnd) {
    if (this.#over || !this.#handlers) return;
    this.#flush();
    if (this.#over) return;
    this.#over = true;
    this.#kill();
    const { onEnd } = this.#handlers;
    // What its elements said may still be on the way; 'gone' comes after the last of it.
    this.gone.then(() => onEnd(end.kind === 'failed' ? { ...end, stderr: this.stderr } : end));
  }
}
