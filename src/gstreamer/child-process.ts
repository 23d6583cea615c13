import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Duplex, PassThrough } from 'node:stream';
import { atExit } from '../core/at-exit.ts';
import { reason } from '../core/errors.ts';

/** File descriptor, in the child, of the socket that carries pictures. */
export const streamFd = 4;

export interface ChildOptions<FromChild> {
  /** The module that the process runs. */
  readonly entry: URL;
  /** Size of its thread pool: each pull and each bus poll blocks one thread. */
  readonly threads: number;
  /** GStreamer's log level, unless the environment sets GST_DEBUG. */
  readonly logLevel: number;
  onMessage(message: FromChild): void;
  /** Called once, after the last message, the last byte of the stream and the last of stderr. */
  onExit(how: string): void;
}

/** What Node.js reads a socket by; it has no public name for a descriptor. */
interface SocketHandle {
  readonly fd: number;
  reading: boolean;
  readStop(): void;
  setBlocking(blocking: boolean): number;
}

interface Held {
  ref?(): void;
  unref?(): void;
}

/** Characters of stdout and of stderr that are kept: the last complaints. */
const keptCharacters = 4000;

/**
 * What elements print to stdout, as a Jetson's camera does, would stay in the buffer of a process that is
 * killed: with `stdbuf` it leaves the process line by line.
 */
const stdbuf = '/usr/bin/stdbuf';
const started = existsSync(stdbuf)
  ? { execPath: stdbuf, execArgv: ['-oL', process.execPath] }
  : { execArgv: [] };

/**
 * A child process that runs GStreamer. Messages go over IPC, pictures over a socket pair that the
 * child inherits, so there is no path that others could open or that could be too long.
 */
export class GStreamerProcess<ToChild extends object, FromChild> {
  /** The parent's end of the socket pair. */
  readonly stream: Duplex;
  /** Resolves when the process is gone. Never rejects. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  #stderr = '';
  #stdout = '';
  #detached = false;

  constructor(options: ChildOptions<FromChild>) {
    this.#child = fork(options.entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      ...started,
      env: {
        ...process.env,
        UV_THREADPOOL_SIZE: String(options.threads),
        GST_DEBUG: process.env.GST_DEBUG ?? String(options.logLevel),
        GST_DEBUG_NO_COLOR: '1',
      },
    });
    // Without free descriptors there are no streams; the error event follows.
    this.stream = (this.#child.stdio?.[streamFd] as Duplex | undefined) ?? new PassThrough();
    // A broken stream means that the process is gone, which its exit reports.
    this.stream.on('error', () => {});
    this.gone = new Promise((resolve) => this.#watch(options, resolve));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once messages no longer reach the process. */
  get connected(): boolean {
    return this.#child.connected;
  }

  /** The end of what the process wrote to stderr, in whole lines. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  /** The end of what elements printed to stdout, in whole lines. */
  get stdout(): string {
    return this.#stdout.trim();
  }

  tell(message: ToChild): void {
    // A failure to send means that the process is gone, which its exit reports.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Whether it keeps the program running, as it does at first. */
  hold(keeps: boolean): void {
    const handles = [this.#child, this.#child.channel, this.#child.stdout, this.#child.stderr];
    for (const handle of [...handles, this.stream] as (Held | null | undefined)[]) {
      if (keeps) handle?.ref?.();
      else handle?.unref?.();
    }
  }

  /**
   * Takes the socket out of the event loop, for threads that read it with calls that block.
   *
   * @returns its descriptor, which stays open until `release`; undefined if there is none
   */
  detach(): number | undefined {
    const handle = (this.stream as { _handle?: SocketHandle | null })._handle;
    if (!handle || !(handle.fd >= 0)) return undefined;
    handle.readStop();
    // When the process exits, Node.js resumes its streams; this one then counts as being read already.
    handle.reading = true;
    if (handle.setBlocking(true) !== 0) return undefined;
    this.#detached = true;
    // A thread that waits for this process would keep the program from exiting.
    const forget = atExit(() => this.#child.kill('SIGKILL'));
    void this.gone.then(forget);
    return handle.fd;
  }

  /** The detached socket is no longer read. */
  release(): void {
    this.stream.destroy();
  }

  kill(): void {
    if (!this.#detached) this.stream.destroy();
    this.#child.kill('SIGKILL');
  }

  #watch({ onMessage, onExit }: ChildOptions<FromChild>, gone: () => void): void {
    const child = this.#child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = tail(this.#stderr + text);
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = tail(this.#stdout + text);
    });
    child.on('message', (message) => onMessage(message as FromChild));
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      // Never started: there will be no exit.
      onExit(`could not be started: ${reason(error)}`);
      gone();
    });
    // 'close' comes after the last message and the last of every stream.
    child.on('close', (code, signal) => {
      this.stream.destroy();
      onExit(signal ? `killed by ${signal}` : `exit code ${code}`);
      gone();
    });
  }
}

/** Cut at a line break: half a line could show a part of a password that is then not recognised. */
function tail(text: string): string {
  if (text.length <= keptCharacters) return text;
  const end = text.indexOf('\n', text.length - keptCharacters);
  return end < 0 ? '' : text.slice(end + 1);
}
