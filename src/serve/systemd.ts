import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DepthlineError, reason } from '../core/errors.ts';
import { readable } from '../core/printable.ts';
import type { Health } from './run-health.ts';

/** What the service manager hands over in the environment. */
type Environment = Readonly<Record<string, string | undefined>>;

export interface SystemdOptions {
  readonly env: Environment;
  /** Whether frames flow. `READY=1` follows the first time that they do. */
  ready(): Health;
  /** Whether the run is worth keeping; without it systemd is not told to wait, and kills the process. */
  alive(): boolean;
  readonly warn: (message: string) => void;
  /** Sends assignments such as `READY=1`. */
  readonly send?: (assignments: readonly string[]) => Promise<void>;
}

/** How often the state of the run is looked at, milliseconds. */
const lookMs = 500;
/** Longest time for a message; systemd-notify waits until systemd has taken it. */
const sendMs = 5000;
const longestStatus = 200;

/**
 * Tells systemd how the run is: `READY=1`, `STATUS=`, `WATCHDOG=1` while it is alive, `RELOADING=1` and
 * `STOPPING=1` (sd_notify(3)). Node.js has no datagram sockets of the file system, so `systemd-notify`
 * sends them; the unit needs `NotifyAccess=all`.
 */
export class Systemd {
  readonly #options: SystemdOptions;
  readonly #send: (assignments: readonly string[]) => Promise<void>;
  readonly #watchdogMs: number | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Waits for the message on its way; a newer value of the same name replaces it. */
  readonly #waiting = new Map<string, string>();
  #sending: Promise<void> | undefined;
  #broken = false;
  #ready = false;
  #reloading = false;
  #stopping = false;
  #status = '';
  #fedAt = 0;

  private constructor(options: SystemdOptions) {
    this.#options = options;
    this.#send = options.send ?? systemdNotify;
    this.#watchdogMs = watchdogMs(options.env);
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
    this.#look();
  }

  /** Nothing if the process was not started by a service manager that wants to be told. */
  static start(options: SystemdOptions): Systemd | undefined {
    return options.env.NOTIFY_SOCKET ? new Systemd(options) : undefined;
  }

  /** The pipeline file is read again, until `reloaded`. */
  reloading(): void {
    this.#reloading = true;
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#say(['RELOADING=1', `MONOTONIC_USEC=${microseconds}`]);
  }

  reloaded(): void {
    this.#reloading = false;
    if (this.#ready) this.#say(['READY=1']);
  }

  /** The run ends: the last message. */
  async stop(): Promise<void> {
    if (this.#stopping) return this.#sending;
    this.#stopping = true;
    this.#say(['STOPPING=1', 'STATUS=stopping']);
    // Draining may take as long as the watchdog; it goes on until the process ends.
    await this.#sending;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { ready, alive } = this.#options;
    const { ok, why } = ready();
    const said: string[] = [];
    if (ok && !this.#ready && !this.#stopping) {
      this.#ready = true;
      if (!this.#reloading) said.push('READY=1');
    }
    const status = ok ? why : changeless(why);
    if (status !== this.#status && !this.#stopping) {
      this.#status = status;
      said.push(`STATUS=${readable(why).slice(0, longestStatus)}`);
    }
    const now = performance.now();
    // systemd advises half of the time; a message that is late must not be fatal.
    if (this.#watchdogMs !== undefined && alive() && now - this.#fedAt >= this.#watchdogMs / 3) {
      this.#fedAt = now;
      said.push('WATCHDOG=1');
    }
    if (said.length > 0) this.#say(said);
  }

  #say(assignments: readonly string[]): void {
    if (this.#broken) return;
    for (const assignment of assignments) {
      const [name] = assignment.split('=', 1) as [string];
      this.#waiting.set(name, assignment);
    }
    this.#sending ??= this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#broken) {
      const assignments = [...this.#waiting.values()];
      this.#waiting.clear();
      // One message that says both RELOADING and READY means neither.
      const split = assignments.includes('RELOADING=1') && assignments.includes('READY=1');
      const messages = split
        ? [assignments.filter((one) => one !== 'READY=1'), ['READY=1']]
        : [assignments];
      for (const message of messages) {
        try {
          await this.#send(message);
        } catch (error) {
          this.#broken = true;
          this.#options.warn(`systemd is not told how the run is: ${reason(error)}`);
        }
      }
    }
    this.#sending = undefined;
  }
}

/** A status without its numbers, so that a count of seconds is not reported every time. */
function changeless(why: string): string {
  return why.replace(/\d+(\.\d+)?/g, '#');
}

/** `WATCHDOG_USEC` in milliseconds, if it is meant for this process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment): number | undefined {
  const ms = Number(WATCHDOG_USEC) / 1000;
  const ours = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  return ours && ms > 0 && Number.isFinite(ms) ? ms : undefined;
}

async function systemdNotify(assignments: readonly string[]): Promise<void> {
  const child = spawn('systemd-notify', assignments, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: sendMs,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing
      ? 'it needs the command systemd-notify, which is not here'
      : reason(error);
    throw new DepthlineError('MISSING', message, { cause: error });
  }
  throw new DepthlineError('SERVE', `systemd-notify failed: ${stderr.trim().slice(0, 200)}`);
}
