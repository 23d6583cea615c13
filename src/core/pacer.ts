import { type Clock, sleep } from './clock.ts';

/** Presentation time of the `n`-th frame at `fps`, nanoseconds. */
export function ptsOf(n: number, fps: number): bigint {
  return BigInt(Math.round((n * 1e9) / fps));
}

/** Spaces frames in time. After a delay it continues from there, without a burst to catch up. */
export class Pacer {
  readonly #clock: Clock;
  readonly #periodMs: number;
  /** When the last frame was due. */
  #last: number | undefined;

  /** Without `fps` it waits only for the intervals that it is given. */
  constructor(clock: Clock, fps: number | undefined) {
    this.#clock = clock;
    this.#periodMs = fps === undefined ? 0 : 1000 / fps;
  }

  /** @param intervalMs between the last frame and this one; default: that of `fps` */
  async wait(signal: AbortSignal, intervalMs = this.#periodMs): Promise<void> {
    if (intervalMs === 0 && this.#last === undefined) return;
    const now = this.#clock.now();
    const due = Math.max(now, this.#last === undefined ? now : this.#last + intervalMs);
    this.#last = due;
    if (due > now) await sleep(this.#clock, due - now, signal);
  }
}
