import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { atExit } from '../../core/at-exit.ts';
import { DepthlineError, reason } from '../../core/errors.ts';
import { readable } from '../../core/printable.ts';
import { mask } from '../../core/secrets.ts';
import { durationText } from '../../core/units.ts';
import type { ProcessChoice } from './choice.ts';
import { Deadline } from './deadline.ts';
import type { Companion } from './engine.ts';
import { socketClosed } from './helper-channel.ts';
import { helperDescriptor } from './helper-message.ts';
import { helperName } from './helper-name.ts';
import type { HelperAttachment } from './process.ts';

/** How long a helper may take to end after its socket is closed, milliseconds. */
const endWithinMs = 2000;
/** Longest wait for the last words of a helper that is gone, milliseconds: a child of its own may hold them. */
const lastWordsWithinMs = 500;
/** Characters of what it printed that are kept, and that are quoted. */
const keptCharacters = 4000;
const quotedCharacters = 400;

/** What Node.js reads a socket by; it has no public name for a descriptor. */
interface SocketHandle {
  readonly fd: number;
  reading: boolean;
  readStop(): void;
  setBlocking(blocking: boolean): number;
}

/**
 * One helper process, beside one inference thread. It inherits one end of a socket pair; the thread uses the
 * other with calls that block, and this side ends a helper that is overdue.
 */
export class HelperProcess implements Companion {
  readonly attachment: HelperAttachment;
  readonly #child: ChildProcess;
  readonly #choice: ProcessChoice;
  readonly #socket: Duplex;
  readonly #deadline = new Deadline();
  readonly #watch: NodeJS.Timeout;
  readonly #gone: Promise<void>;
  #printed = '';
  /** How it ended. */
  #how: string | undefined;
  /** Why it was ended, if it took too long. */
  #overdue: string | undefined;
  readonly #forget: () => void;

  private constructor(choice: ProcessChoice, child: ChildProcess) {
    this.#choice = choice;
    this.#child = child;
    this.#socket = child.stdio[helperDescriptor] as Duplex;
    this.#socket.on('error', () => {});
    this.attachment = { descriptor: detach(this.#socket), deadline: this.#deadline.memory };
    this.#gone = new Promise((resolve) => {
      // 'close' comes after the last of its output.
      child.on('close', resolve);
      child.on('exit', (code, signal) => {
        this.#how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
        // Its own children go with it.
        this.#killGroup();
        setTimeout(resolve, lastWordsWithinMs);
      });
    });
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.#printed = (this.#printed + text).slice(-keptCharacters);
      });
    }
    const every = Math.min(100, Math.max(5, choice.deadlineMs / 8));
    this.#watch = setInterval(() => this.#check(), every).unref();
    // A thread that waits for it would keep the program from exiting.
    this.#forget = atExit(() => this.kill());
    this.#hold(false);
  }

  /**
   * @param choice its program must be a path
   * @throws DepthlineError `MISSING` if it cannot be started
   */
  static async start(choice: ProcessChoice): Promise<HelperProcess> {
    const [program = '', ...args] = [...(await diesWithUs()), ...choice.command];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Its own process group: a Ctrl-C does not end it, and its own children can be ended with it.
      detached: true,
      env: { ...process.env, DEPTHLINE_ENGINE_FD: String(helperDescriptor) },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        const message = `${helperName(choice)} cannot be started: ${reason(cause)}`;
        reject(new DepthlineError('MISSING', message, { cause }));
      });
    });
    return new HelperProcess(choice, child);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async explain(cause: string): Promise<string> {
    this.#hold(true);
    // A socket that closes is the first sign of an end.
    const closed = cause.startsWith(socketClosed);
    if (closed) await Promise.race([this.#gone, waited(endWithinMs)]);
    const what = this.#overdue ?? (closed ? this.#how : undefined) ?? cause;
    this.kill();
    await this.#gone;
    return `${helperName(this.#choice)} ${what}${this.#lastWords()}`;
  }

  kill(): void {
    // Afterwards its number may be that of another process.
    if (this.#how === undefined) this.#killGroup();
  }

  /** It ends when its socket closes; if it does not in time, it is killed. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#hold(true);
    this.#socket.destroy();
    const timer = setTimeout(() => this.kill(), endWithinMs);
    await this.#gone;
    clearTimeout(timer);
    this.#forget();
  }

  #check(): void {
    if (this.#overdue !== undefined || !this.#deadline.isOver) return;
    this.#overdue = `gave no answer within ${durationText(this.#deadline.limitMs)} and was ended`;
    this.kill();
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It is gone.
    }
  }

  #lastWords(): string {
    const lines = this.#printed.split('\n').filter((line) => line.trim() !== '');
    // Masked before it is cut: half a secret would not be recognised.
    const last = mask(lines.slice(-3).join('; ').trim());
    if (last === '') return '';
    return ` [${readable(last.length > quotedCharacters ? `…${last.slice(-quotedCharacters)}` : last)}]`;
  }

  /** Whether it keeps the program running: not until somebody waits for its end. */
  #hold(keeps: boolean): void {
    const { stdout, stderr } = this.#child;
    const handles = [this.#child, stdout, stderr, this.#socket] as (Held | null)[];
    for (const handle of handles) keeps ? handle?.ref?.() : handle?.unref?.();
  }
}

interface Held {
  ref?(): void;
  unref?(): void;
}

/** Takes a socket out of the event loop. @returns its descriptor, which stays open until it is destroyed */
function detach(socket: Duplex): number {
  const { _handle: handle } = socket as unknown as { _handle: SocketHandle };
  handle.readStop();
  // When the process exits, Node.js resumes its streams; this one then counts as being read already.
  handle.reading = true;
  handle.setBlocking(true);
  return handle.fd;
}

const setpriv = '/usr/bin/setpriv';
const option = ['--pdeathsig', 'KILL'];
let prefix: Promise<readonly string[]> | undefined;

/** A command in front of another, so that the kernel ends that when this process ends, in whatever way. */
function diesWithUs(): Promise<readonly string[]> {
  prefix ??= new Promise((resolve) => {
    if (!existsSync(setpriv)) return resolve([]);
    // The one of util-linux before 2.33 does not know the option.
    execFile(setpriv, [...option, 'true'], (error) =>
      resolve(error ? [] : [setpriv, ...option, '--']),
    );
  });
  return prefix;
}

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
