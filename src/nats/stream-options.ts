import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { z } from 'zod';
import { byteSize } from '../core/bytes.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { positiveDuration } from '../core/units.ts';
import { streamName } from './connect-options.ts';
import { subjectsMeet } from './subjects-meet.ts';

const nanosecondsPerMs = 1_000_000;

/** A stream that the sink creates if the server does not have it. */
export const streamSchema = z
  .strictObject({
    name: streamName().describe('name of the stream'),
    subjects: z
      .array(z.string().min(1).max(255))
      .min(1)
      .max(64)
      .optional()
      .describe('subjects that it stores, such as depth.>; default: that of this sink'),
    retention: z
      .enum(['limits', 'work-queue'])
      .default('limits')
      .describe('limits: until a limit is reached; work-queue: until one consumer has taken it'),
    storage: z.enum(['file', 'memory']).default('file').describe('memory: lost with the server'),
    'max-size': byteSize().default(1e9).describe('size of the stream; default: 1GB'),
    'max-age': positiveDuration().optional().describe('older messages are deleted'),
    'messages-per-subject': z
      .int()
      .min(1)
      .optional()
      .describe('newest messages that each subject keeps: 1 for nothing but the newest frame'),
    'when-full': z
      .enum(['drop-oldest', 'refuse'])
      .default('drop-oldest')
      .describe('refuse: nothing is accepted until a consumer has taken some; the sink waits'),
    'duplicate-window': positiveDuration()
      .default(120_000)
      .describe('a message that is sent again within this time is stored once; default: 2min'),
    replicas: z.int().min(1).max(5).default(1).describe('servers of a cluster that store it'),
  })
  .describe('stream to store in; created if the server does not have it, never changed');

export type StreamOptions = z.output<typeof streamSchema>;

/**
 * Makes sure that a stream stores the subject, and gives its name.
 *
 * @throws DepthlineError `SINK` if none does, or the one that is named does not, or cannot be created
 */
export async function ensureStream(
  manager: JetStreamManager,
  subject: string,
  options: StreamOptions | undefined,
  warn: (message: string) => void,
): Promise<string> {
  if (!options) return findStream(manager, subject);
  const wanted = configOf(options, subject);
  const existing = await manager.streams.info(options.name).catch(() => undefined);
  if (existing) {
    const { subjects = [] } = existing.config;
    if (!subjects.some((stores) => subjectsMeet(stores, subject)))
      throw new DepthlineError(
        'SINK',
        `stream ${options.name} exists and stores ${subjects.join(', ')}, not ${subject}; name another stream, or correct "subject"`,
      );
    const different = differences(wanted, existing);
    if (different.length > 0)
      warn(
        `stream ${options.name} exists with other settings, which stay: ${different.join(', ')}`,
      );
    return options.name;
  }
  try {
    await manager.streams.add(wanted);
  } catch (error) {
    // Two that start at the same time both find it missing.
    if (await manager.streams.info(options.name).catch(() => undefined)) return options.name;
    throw new DepthlineError('SINK', `cannot create stream ${options.name}: ${reason(error)}`, {
      cause: error,
    });
  }
  return options.name;
}

async function findStream(manager: JetStreamManager, subject: string): Promise<string> {
  try {
    return await manager.streams.find(subject);
  } catch (error) {
    const how = 'give "stream" with a name, and it is created';
    throw new DepthlineError('SINK', `no stream of the server stores ${subject}; ${how}`, {
      cause: error,
    });
  }
}

type Config = Partial<StreamConfig> & { readonly name: string; readonly subjects: string[] };

function configOf(options: StreamOptions, subject: string): Config {
  const age = options['max-age'];
  const refuses = options['when-full'] === 'refuse';
  return {
    name: options.name,
    subjects: options.subjects ?? [subject],
    retention: options.retention === 'work-queue' ? 'workqueue' : 'limits',
    storage: options.storage,
    max_bytes: options['max-size'],
    max_age: age === undefined ? 0 : age * nanosecondsPerMs,
    max_msgs_per_subject: options['messages-per-subject'] ?? -1,
    discard: refuses ? 'new' : 'old',
    discard_new_per_subject: refuses && options['messages-per-subject'] !== undefined,
    duplicate_window:
      Math.min(options['duplicate-window'], age ?? Number.POSITIVE_INFINITY) * nanosecondsPerMs,
    num_replicas: options.replicas,
  };
}

function differences(wanted: Config, { config }: StreamInfo): string[] {
  const names = ['subjects', 'retention', 'storage', 'max_bytes', 'max_age', 'discard'] as const;
  return [...names, 'max_msgs_per_subject' as const]
    .filter((name) => JSON.stringify(config[name]) !== JSON.stringify(wanted[name]))
    .map((name) => `${name} ${JSON.stringify(config[name])}, not ${JSON.stringify(wanted[name])}`);
}
