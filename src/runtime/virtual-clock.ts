import type { Clock } from '../core/clock.ts';

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** A clock that advances on request only. Promises and immediates settle between two timers. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];
  readonly #epoch = 1_700_000_000_000_000_000n;

  now(): number {
    return this.#now;
  }

  wall(): bigint {
    return this.#epoch + BigInt(Math.round(this.#now * 1e6));
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Runs everything due within the next `ms`. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#next();
      if (!next || next.at > end) break;
      this.#fire(next);
      await settle();
    }
    this.#now = end;
  }

  /** Runs timers until `promise` settles; fails if time alone cannot settle it. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => (settled = true),
      () => (settled = true),
    );
    for (;;) {
      await settle();
      if (settled) return promise;
      const next = this.#next();
      if (!next) throw new Error('nothing left to wait for, and the promise has not settled');
      this.#fire(next);
    }
  }

  #next(): Timer | undefined {
    return this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.#now = timer.at;
    timer.callback();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
