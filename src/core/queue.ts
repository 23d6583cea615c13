import { z } from 'zod';
import { ageMs, type Clock } from './clock.ts';
import type { Frame } from './frame.ts';
import type { Gate } from './gate.ts';
import { duration } from './units.ts';

export const fullPolicies = ['block', 'drop-oldest', 'drop-newest'] as const;

/** `queue:` beside an asynchronous operator or a sink. */
export const queueSchema = z.strictObject({
  limit: z.int().min(1).max(10_000).default(1).describe('frames that may wait, 1 or more'),
  'when-full': z
    .enum(fullPolicies)
    .optional()
    .describe(
      'hold the source, drop the frame that waited longest, or drop the new one; default: block, and drop-oldest for an operator behind a live source',
    ),
  'max-age': duration()
    .optional()
    .describe('drop frames older than this since capture instead of passing them on (100ms, 2s)'),
});

export interface QueueOptions {
  /** Frames that may wait, ≥ 1. */
  readonly limit: number;
  readonly whenFull: (typeof fullPolicies)[number];
  /** Milliseconds since capture after which a waiting frame is dropped. */
  readonly maxAgeMs?: number;
}

export function toQueueOptions(value: z.output<typeof queueSchema>): Partial<QueueOptions> {
  const { 'when-full': whenFull, 'max-age': maxAgeMs } = value;
  return {
    limit: value.limit,
    ...(whenFull && { whenFull }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  };
}

/**
 * Frames that a `block` queue takes beyond its limit. The gate stops the source at the limit, but
 * an operator of the user's may still hold frames back and let them go late.
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
  readonly #options: QueueOptions;
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

  get options(): QueueOptions {
    return this.#options;
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

  /** The next frame that is young enough, or nothing. */
  take(): Frame | undefined {
    for (;;) {
      const frame = this.#items.shift();
      if (this.#items.length < this.#options.limit) this.#context.gate.release(this.#holder);
      if (!frame || !this.#tooOld(frame)) return frame;
      this.#context.dropped(1, 'too old');
    }
  }

  /** Drops all that waits, with a reason. */
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
