import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryPoint } from '../../core/entry-point.ts';
import { reason } from '../../core/errors.ts';
import type { Failure } from '../failure.ts';
import { credit, type FromHost, type ToHost } from './capture-protocol.ts';
import { FrameReader, type RawFrame } from './frame-reader.ts';

/** How a capture host came to its end. */
export type HostEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly stderr: string }
  | { readonly kind: 'crashed'; readonly how: string; readonly stderr: string };

export interface HostOptions {
  readonly launchLine: string;
  onFrame(frame: RawFrame): void;
  /** Called once, after the last frame, unless the host was stopped. */
  onEnd(end: HostEnd): void;
}

/** How long a pipeline may take to shut down in good order before it is killed. */
const stopWithinMs = 200;
const stderrTail = 4000;

/** One capture host: its process, its socket, and a promise for its end. */
export class HostProcess {
  readonly #options: HostOptions;
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #reader: FrameReader;
  /** Resolves when the process is gone and nothing of it is left. */
  readonly gone: Promise<void>;
  #socket: Socket | undefined;
  #socketClosed = false;
  #outcome: HostEnd | undefined;
  #exited: string | undefined;
  #stderr = '';
  /** Frames that were asked for before there was a socket. */
  #askedBefore = 0;
  #over = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#reader = new FrameReader((frame) => {
      if (!this.#over) options.onFrame(frame);
    });
    this.#directory = mkdtempSync(join(tmpdir(), 'depthline-capture-'));
    // The launch line goes over IPC: it may hold a password, and `ps` shows arguments to everyone.
    this.#child = fork(entryPoint(import.meta.url, './capture-host'), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: {
        ...process.env,
        // Pull and bus poll each block a thread.
        UV_THREADPOOL_SIZE: '4',
        // Warnings too: decodebin swallows some errors, and then the log alone has the reason.
        GST_DEBUG: process.env.GST_DEBUG ?? '2',
        GST_DEBUG_NO_COLOR: '1',
      },
    });
    this.gone = new Promise((resolve) => this.#watch(resolve));
    this.#tell({
      type: 'start',
      launchLine: options.launchLine,
      socketPath: join(this.#directory, 'frames'),
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last of what the process wrote to stderr: GStreamer's log. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  /** Asks for so many more frames. */
  ask(frames: number) {
    if (this.#socket) this.#socket.write(Buffer.alloc(frames, credit));
    else this.#askedBefore += frames;
  }

  /** Ends the process: at once, or after its pipeline has shut down. Nothing is called after it. */
  stop(how: 'at once' | 'in order') {
    if (this.#over) return;
    this.#over = true;
    if (how === 'at once' || !this.#child.connected) return this.#kill();
    this.#tell({ type: 'stop' });
    const timer = setTimeout(() => this.#kill(), stopWithinMs);
    this.gone.then(() => clearTimeout(timer));
  }

  #kill() {
    this.#socket?.destroy();
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToHost) {
    // A failure to send means that the process is gone, which its exit reports.
    this.#child.send(message, () => {});
  }

  #watch(gone: () => void) {
    const child = this.#child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrTail);
    });
    child.on('message', (message: FromHost) => this.#onMessage(message));
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      // Never started: there will be no exit.
      this.#exited = `could not be started: ${reason(error)}`;
      this.#clean();
      this.#settle();
      gone();
    });
    // 'close' comes after the last message and the last of stderr.
    child.on('close', (code, signal) => {
      this.#exited = signal ? `killed by ${signal}` : `exit code ${code}`;
      this.#clean();
      this.#settle();
      gone();
    });
  }

  #clean() {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #onMessage(message: FromHost) {
    if (this.#over) return;
    if (message.type === 'listening') return this.#connect();
    this.#outcome =
      message.type === 'ended'
        ? { kind: 'ended' }
        : { kind: 'failed', failure: message.failure, stderr: '' };
    this.#settle();
  }

  #connect() {
    const reader = this.#reader;
    this.#socket = connect({
      path: join(this.#directory, 'frames'),
      onread: {
        buffer: () => reader.target(),
        callback: (n) => this.#onBytes(n),
      },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#socketClosed = true;
      this.#settle();
    });
    if (this.#askedBefore > 0) this.#socket.write(Buffer.alloc(this.#askedBefore, credit));
  }

  #onBytes(n: number): boolean {
    if (this.#over) return true;
    try {
      this.#reader.received(n);
    } catch (error) {
      this.#outcome = { kind: 'crashed', how: `sent damaged data: ${reason(error)}`, stderr: '' };
      this.#kill();
    }
    return true;
  }

  /** The end counts once nothing more can come: neither frames nor a reason. */
  #settle() {
    if (this.#over) return;
    if (this.#exited === undefined && !(this.#outcome && (this.#socketClosed || !this.#socket))) {
      return;
    }
    if (this.#socket && !this.#socketClosed) return;
    this.#over = true;
    const outcome = this.#outcome ?? {
      kind: 'crashed',
      how: this.#exited ?? 'unknown',
      stderr: '',
    };
    this.#kill();
    const end = outcome.kind === 'ended' ? outcome : { ...outcome, stderr: this.stderr };
    this.#options.onEnd(end);
  }
}
