/** Time, injected everywhere so that tests run in virtual time. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall clock at this moment, nanoseconds since the Unix epoch. */
  wall(): bigint;
  /** Calls `callback` once after `ms`, however long that is; returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
  /**
   * Milliseconds since the wall clock read `wall`, not counting steps of the clock since
   * then. Default: the difference to `wall()`.
   */
  since?(wall: bigint): number;
  /**
   * Calls `listener` when the wall clock has been set, with the milliseconds that it jumped forward
   * (negative: back); returns a function that ends that.
   */
  onStep?(listener: (jumpMs: number) => void): () => void;
}

/** Node.js fires a longer timer immediately; milliseconds. */
const longestTimerMs = 2 ** 31 - 1;
/** A larger change of the wall clock is a step, a smaller one drift or slewing. */
const leastStepMs = 500;
/** The size of a step is known to about a millisecond. */
const toleranceMs = 2;
/** Number of steps for which ages are corrected. */
const stepsKept = 16;

interface Step {
  /** `now()` when it was noticed. */
  readonly at: number;
  readonly jumpMs: number;
}

/** The clocks of this machine, read at the moment of use. Notices steps of the wall clock. */
export class SystemClock implements Clock {
  readonly #steps: Step[] = [];
  readonly #listeners = new Set<(jumpMs: number) => void>();
  /** Wall clock minus monotonic clock, milliseconds. */
  #offset = performance.timeOrigin;

  now(): number {
    return performance.now();
  }

  wall(): bigint {
    // In this order: the check may change the offset.
    const now = this.#check();
    return nanoseconds(this.#offset + now);
  }

  after(ms: number, callback: () => void): () => void {
    if (!(ms > longestTimerMs)) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    }
    const end = performance.now() + ms;
    let cancel = () => {};
    const wait = () => {
      const left = end - performance.now();
      cancel = left > 0 ? this.after(Math.min(left, longestTimerMs), wait) : () => {};
      if (left <= 0) callback();
    };
    wait();
    return () => cancel();
  }

  since(wall: bigint): number {
    const now = this.#check();
    const difference = Number(nanoseconds(this.#offset + now) - wall) / 1e6;
    // Find the two steps between which the time was read: the age must fall between theirs.
    let age = difference;
    let until = 0;
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const { at, jumpMs } = this.#steps[i] as Step;
      if (age >= until - toleranceMs && age <= now - at + toleranceMs) return age;
      age -= jumpMs;
      until = now - at;
    }
    // A time that this process cannot have read comes from elsewhere, and its steps are unknown.
    return age >= until - toleranceMs && age <= now ? age : difference;
  }

  onStep(listener: (jumpMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The monotonic clock, once the offset is right for it. */
  #check(): number {
    const now = performance.now();
    const error = Date.now() - (this.#offset + now);
    // Date.now() is truncated to milliseconds: keep the finer time while it agrees.
    if (error <= 0 && error > -1) return now;
    if (Math.abs(error) >= leastStepMs) return this.#step();
    this.#offset += error > 0 ? error : error + 1;
    return now;
  }

  #step(): number {
    // Read both again: this thread may have been suspended between the two readings.
    const at = performance.now();
    const jumpMs = Date.now() - (this.#offset + at);
    this.#offset += jumpMs;
    if (Math.abs(jumpMs) < leastStepMs) return at;
    this.#steps.push({ at, jumpMs });
    if (this.#steps.length > stepsKept) this.#steps.shift();
    for (const listener of this.#listeners) listener(jumpMs);
    return at;
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

/** The clocks of this machine. */
export const systemClock: Clock = new SystemClock();

/** Resolves after `ms`, or at once when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done);
  });
}

/** Milliseconds since a frame was captured. Never negative, even if the wall clock was set back. */
export function ageMs(clock: Clock, frame: { readonly capturedAt: bigint }): number {
  const { capturedAt } = frame;
  const age = clock.since?.(capturedAt) ?? Number(clock.wall() - capturedAt) / 1e6;
  return Math.max(0, age);
}
