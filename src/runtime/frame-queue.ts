import { ageMs, type Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';
import type { QueueOptions } from '../core/queue-options.ts';

/**
 * Frames that a `block` queue takes beyond its limit. The gate stops the source at the limit, but
 * a user's operator may still hold frames back and release them late.
 */
export const blockHeadroom = 64;

interface QueueContext {
  readonly path: string;
  readonly clock: Clock;
  readonly gate: Gate;
  dropped(n: number, reason: string): void;
}

/** A bounded queue of frames in front of slow work. Every frame it does not pass on is counted. */
export class FrameQueue {
  readonly #items: Frame[] = [];
  #options: QueueOptions;
  readonly #context: QueueContext;
  readonly #holder: string;

  constructor(options: QueueOptions, context: QueueContext) {
    this.#options = options;
    this.#context = context;
    this.#holder = context.path;
  }

  get length(): number {
    return this.#items.length;
  }

  push(frame: Frame): void {
    const { limit, whenFull } = this.#options;
    const full = this.#items.length >= limit;
    if (full && whenFull === 'drop-newest') {
      this.#context.dropped(1, 'queue full');
      return;
    }
    if (full && whenFull === 'drop-oldest') {
      this.#items.shift();
      this.#context.dropped(1, 'queue full');
    }
    if (whenFull === 'block' && this.#items.length >= limit + blockHeadroom) {
      this.#context.dropped(1, 'queue overrun');
      return;
    }
    this.#items.push(frame);
    if (whenFull === 'block' && this.#items.length >= limit) this.#context.gate.hold(this.#holder);
  }

  /** The next frame that is not older than `maxAgeMs`; `undefined` if there is none. */
  take(): Frame | undefined {
    for (;;) {
      const frame = this.#items.shift();
      if (this.#items.length < this.#options.limit) this.#context.gate.release(this.#holder);
      if (!frame || !this.#tooOld(frame)) return frame;
      this.#context.dropped(1, 'too old');
    }
  }

  /** Takes another limit, policy and age. Frames that a smaller queue has no room for are dropped. */
  adjust(options: QueueOptions): void {
    this.#options = options;
    const { limit, whenFull } = options;
    const excess = this.#items.length - limit;
    if (whenFull !== 'block' && excess > 0) {
      this.#items.splice(whenFull === 'drop-oldest' ? 0 : limit, excess);
      this.#context.dropped(excess, 'queue full');
    }
    if (whenFull === 'block' && excess >= 0) this.#context.gate.hold(this.#holder);
    else this.#context.gate.release(this.#holder);
  }

  /** Drops all waiting frames. */
  clear(reason: string): void {
    const n = this.#items.length;
    this.#items.length = 0;
    this.#context.gate.release(this.#holder);
    if (n > 0) this.#context.dropped(n, reason);
  }

  #tooOld(frame: Frame): boolean {
    const { maxAgeMs } = this.#options;
    return maxAgeMs !== undefined && ageMs(this.#context.clock, frame) > maxAgeMs;
  }
}
