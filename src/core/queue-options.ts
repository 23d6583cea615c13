import { z } from 'zod';
import { positiveDuration } from './units.ts';

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
  'max-age': positiveDuration()
    .optional()
    .describe('drop frames older than this since capture instead of passing them on (100ms, 2s)'),
});

/** The queue in front of an asynchronous operator or a sink. */
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
