/** Time, injected everywhere so that tests run in virtual time. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall clock, nanoseconds since the Unix epoch. */
  wall(): bigint;
  /** Calls `callback` once after `ms`; returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}

const origin = BigInt(Math.round(performance.timeOrigin * 1000)) * 1000n;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => origin + BigInt(Math.round(performance.now() * 1e6)),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

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
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Milliseconds since a frame was captured. Never negative, even if the wall clock was set back. */
export function ageMs(clock: Clock, frame: { readonly capturedAt: bigint }): number {
  return Math.max(0, Number(clock.wall() - frame.capturedAt) / 1e6);
}
