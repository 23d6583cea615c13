import { entryPoint } from '../../core/entry-point.ts';
import { reason } from '../../core/errors.ts';
import { GStreamerProcess } from '../child-process.ts';
import type { Failure } from '../failure.ts';
import { credit, type FromHost, type ToHost } from './capture-protocol.ts';
import { FrameReader, type RawFrame } from './frame-reader.ts';

/** How a capture process ended. */
export type CaptureEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly stderr: string }
  | { readonly kind: 'crashed'; readonly how: string; readonly stderr: string };

export interface CaptureProcessOptions {
  readonly launchLine: string;
  onFrame(frame: RawFrame): void;
  /** The decoder has dropped so many damaged pictures since the process was started. */
  onDamaged(total: number): void;
  /** Called once, after the last frame, unless the process was stopped. */
  onEnd(end: CaptureEnd): void;
}

/** How long a pipeline may take to shut down before it is killed, milliseconds. */
const stopWithinMs = 200;

/** One capture host, seen from the parent: a child process that sends frames on request. */
export class CaptureProcess {
  readonly #options: CaptureProcessOptions;
  readonly #process: GStreamerProcess<ToHost, FromHost>;
  readonly #reader: FrameReader;
  #streamEnded = false;
  #outcome: CaptureEnd | undefined;
  #over = false;

  constructor(options: CaptureProcessOptions) {
    this.#options = options;
    this.#reader = new FrameReader((frame) => {
      if (!this.#over) options.onFrame(frame);
    });
    this.#process = new GStreamerProcess({
      entry: entryPoint('gstreamer/capture/capture-host'),
      // Pull and bus poll each block one.
      threads: 4,
      // Warnings too: decodebin swallows some errors, and then the log alone has the reason.
      logLevel: 2,
      onMessage: (message: FromHost) => this.#onMessage(message),
      onExit: (how) => {
        this.#streamEnded = true;
        this.#settle(this.#outcome ?? { kind: 'crashed', how, stderr: this.stderr });
      },
    });
    this.#process.stream.on('data', (bytes: Uint8Array) => this.#onBytes(bytes));
    this.#process.stream.on('end', () => {
      this.#streamEnded = true;
      if (this.#outcome) this.#settle(this.#outcome);
    });
    // The launch line goes over IPC: it may hold a password, and `ps` shows arguments to everyone.
    this.#process.tell({ type: 'start', launchLine: options.launchLine });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The end of GStreamer's log. */
  get stderr(): string {
    return this.#process.stderr;
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<void> {
    return this.#process.gone;
  }

  /** Requests this many more frames. */
  ask(frames: number) {
    this.#process.stream.write(Buffer.alloc(frames, credit));
  }

  /** Ends the process: at once, or after its pipeline has shut down. No callback runs afterwards. */
  stop(how: 'at once' | 'in order') {
    if (this.#over) return;
    this.#over = true;
    if (how === 'at once' || !this.#process.connected) return this.#process.kill();
    this.#process.tell({ type: 'stop' });
    const timer = setTimeout(() => this.#process.kill(), stopWithinMs);
    this.gone.then(() => clearTimeout(timer));
  }

  #onMessage(message: FromHost) {
    if (message.type === 'damaged') {
      if (!this.#over) this.#options.onDamaged(message.total);
      return;
    }
    this.#outcome =
      message.type === 'ended'
        ? { kind: 'ended' }
        : { kind: 'failed', failure: message.failure, stderr: '' };
    if (this.#streamEnded) this.#settle(this.#outcome);
  }

  #onBytes(bytes: Uint8Array) {
    if (this.#over) return;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      const how = `sent damaged data: ${reason(error)}`;
      this.#settle({ kind: 'crashed', how, stderr: this.stderr });
    }
  }

  /** Reports the end once neither frames nor a reason can follow. */
  #settle(end: CaptureEnd) {
    if (this.#over) return;
    this.#over = true;
    this.#process.kill();
    this.#options.onEnd(end.kind === 'failed' ? { ...end, stderr: this.stderr } : end);
  }
}
