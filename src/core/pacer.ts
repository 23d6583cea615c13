import { type Clock, sleep } from './clock.ts';

/** Presentation time of the `n`-th frame at `fps`, nanoseconds. */
export function ptsOf(n: number, fps: number): bigint {
  return BigInt(Math.round((n * 1e9) / fps));
}

/** Spaces frames evenly. After a delay it continues from there, without a burst to catch up. */
export class Pacer {
  readonly #clock: Clock;
  readonly #periodMs: number;
  #due: number | undefined;

  /** Without `fps` it never waits. */
  constructor(clock: Clock, fps: number | undefined) {
    this.#clock = clock;
    this.#periodMs = fps === undefined ? 0 : 1000 / fps;
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (this.#periodMs === 0) return;
    const now = this.#clock.now();
    const due = Math.max(now, this.#due ?? now);
    this.#due = due + this.#periodMs;
    if (due > now) await sleep(this.#clock, due - now, signal);
  }
}
