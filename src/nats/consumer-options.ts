import type { ConsumerConfig } from '@nats-io/jetstream';
import { z } from 'zod';
import { positiveDuration } from '../core/units.ts';
import { streamName } from './connect-options.ts';

const nanosecondsPerMs = 1_000_000;

/** A consumer of a stream, whose place the server keeps. */
export const consumerSchema = z
  .strictObject({
    stream: streamName().describe('name of the stream'),
    durable: streamName().describe(
      'name under which the server keeps what was acknowledged; readers that share it share the messages',
    ),
    from: z
      .union([
        z.enum(['first', 'new', 'newest']),
        z.strictObject({ sequence: z.int().min(1).describe('number of a message in the stream') }),
        z.strictObject({ time: z.iso.datetime({ offset: true }).describe('2026-01-31T08:00:00Z') }),
      ])
      .default('first')
      .describe(
        'where a new durable begins: first or newest message, new ones only, a sequence or a time; later runs continue where the last one ended',
      ),
    'at-end': z
      .enum(['wait', 'stop'])
      .default('wait')
      .describe('stop: end the run when nothing is left, as a replay does'),
    'acknowledge-within': positiveDuration()
      .default(30_000)
      .describe(
        'a frame that was not delivered by then is given to another reader, or again; default: 30s',
      ),
    deliveries: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('how often a frame is given out before the stream gives it up'),
    ahead: z
      .int()
      .min(1)
      .max(256)
      .default(2)
      .describe('frames that this reader takes before it is asked for them'),
    unacknowledged: z
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe('frames of all readers of this durable that may be unacknowledged'),
  })
  .describe('read what a stream stores, each frame until it is delivered');

export type ConsumerOptions = z.output<typeof consumerSchema>;

/** What the server is told of a durable that it does not have yet. */
export function consumerConfig(options: ConsumerOptions, subject: string): Partial<ConsumerConfig> {
  return {
    durable_name: options.durable,
    ack_policy: 'explicit',
    filter_subject: subject,
    ack_wait: options['acknowledge-within'] * nanosecondsPerMs,
    max_deliver: options.deliveries,
    max_ack_pending: options.unacknowledged,
    ...start(options.from),
  };
}

function start(from: ConsumerOptions['from']): Partial<ConsumerConfig> {
  if (from === 'first') return { deliver_policy: 'all' };
  if (from === 'new') return { deliver_policy: 'new' };
  if (from === 'newest') return { deliver_policy: 'last' };
  return 'sequence' in from
    ? { deliver_policy: 'by_start_sequence', opt_start_seq: from.sequence }
    : { deliver_policy: 'by_start_time', opt_start_time: from.time };
}
