import { DepthlineError, reason } from '../core/errors.ts';
import type { MessageKind } from '../core/frame.ts';
import { nameInText } from '../core/printable.ts';
import { depthEncodings, pictureEncodings, unknownEncoding } from '../ros/pixel-encodings.ts';
import { isCompressedDepth } from '../ros/to-frame.ts';
import type { Decoders } from './decoders.ts';
import { ownTopics } from './frame-record.ts';
import type { McapFile, ReadMessage } from './mcap-file.ts';

/** A topic of a file. */
export interface TopicFacts {
  readonly topic: string;
  /** Name of its schema. */
  readonly type: string;
  /** What its first message holds; nothing if no frame can be made of it. */
  readonly kind: MessageKind | 'calibration' | undefined;
  /** Why no frame can be made of it, if it is of a type of which others can be. */
  readonly problem?: string;
  /** Messages, as far as the file was looked at. */
  readonly count: number;
}

/** Messages that are looked at to find out what the topics hold. */
const mostMessages = 5000;

/**
 * The topics of a file, by what their first messages hold.
 *
 * @throws DepthlineError `SOURCE` if it has no messages
 */
export async function topicsOf(file: McapFile, decoders: Decoders): Promise<TopicFacts[]> {
  const found = new Map<string, Omit<TopicFacts, 'topic' | 'count'> & { count: number }>();
  const counts = file.summary?.statistics?.channelMessageCounts;
  const channels = file.summary?.channelsById;
  const used = [...(counts ?? [])].filter(([, count]) => count > 0n).map(([id]) => id);
  // An index need not name the topics.
  const known = used.length > 0 && used.every((id) => channels?.has(id));
  const missing = new Set(used.map((id) => channels?.get(id)?.topic));
  let seen = 0;
  const messages = file.messages();
  for (;;) {
    const { value: message, done } = await messages.next();
    if (done) {
      if (seen === 0) throw nothingIn(file, message);
      break;
    }
    const { topic, id } = message.channel;
    const facts = found.get(topic);
    if (facts) facts.count++;
    else {
      const type = message.schema?.name || message.channel.messageEncoding;
      found.set(topic, { type, ...holds(message, decoders), count: 1 });
    }
    if (counts && known) {
      // With an index the counts are known, and one message of each topic is enough.
      (found.get(topic) as { count: number }).count = Number(counts.get(id) ?? 1n);
      missing.delete(topic);
      if (missing.size === 0) break;
    }
    if (++seen >= mostMessages) break;
  }
  await messages.return(false);
  return [...found].map(([topic, facts]) => ({ topic, ...facts }));
}

/** @param complete whether the file has its end */
function nothingIn({ path }: McapFile, complete: boolean): DepthlineError {
  const why = complete
    ? 'has no messages'
    : 'is cut off before its first whole chunk: there is nothing to read or to recover';
  return new DepthlineError('SOURCE', `${path} ${why}`);
}

function holds(message: ReadMessage, decoders: Decoders): Pick<TopicFacts, 'kind' | 'problem'> {
  try {
    return { kind: kindOf(message, decoders) };
  } catch (error) {
    return { kind: undefined, problem: reason(error) };
  }
}

/** @throws Error with the reason if a frame could be made of its type, but not of this message */
function kindOf(message: ReadMessage, decoders: Decoders): TopicFacts['kind'] {
  const image = decoders.decode(message, 'sensor_msgs/Image');
  if (image) {
    const { encoding } = image;
    if (depthEncodings.includes(encoding)) return 'depth';
    if (pictureEncodings.includes(encoding)) return 'image';
    throw new Error(unknownEncoding(encoding, [...pictureEncodings, ...depthEncodings]));
  }
  const compressed = decoders.decode(message, 'sensor_msgs/CompressedImage');
  if (compressed) return isCompressedDepth(compressed) ? 'depth' : 'image';
  const type = decoders.of(message)?.type;
  if (type === 'sensor_msgs/PointCloud2') return 'points';
  if (type === 'sensor_msgs/CameraInfo') return 'calibration';
  return type === 'json' ? 'data' : undefined;
}

/** The frame records of a Depthline recording; nothing for a file of others. */
export function ownTopic(topics: readonly TopicFacts[]): string | undefined {
  return topics.find(({ topic, kind }) => kind === 'data' && topic.endsWith(ownTopics.frame))
    ?.topic;
}

export interface TopicChoice {
  readonly topic: string;
  /** What to tell the user: that it was guessed, and what else there is. */
  readonly message?: string;
}

/**
 * The topic to read: that of the user, or the best one of its kind.
 *
 * @throws DepthlineError `SOURCE` if there is none
 */
export function chooseTopic(
  topics: readonly TopicFacts[],
  as: MessageKind,
  asked: string | undefined,
  path: string,
): TopicChoice {
  if (asked !== undefined) return { topic: requireKind(topics, as, asked, path) };
  const fitting = topics.filter(({ kind }) => kind === as).toSorted(byPreference);
  const [best, ...others] = fitting;
  if (!best) throw none(topics, as, path);
  const name = ({ topic, count }: TopicFacts) =>
    `${nameInText(topic)} (${count} message${count === 1 ? '' : 's'})`;
  const message =
    others.length === 0
      ? `reads ${name(best)}, the only topic with ${noun[as]}`
      : `reads ${name(best)}; set "topic" for another one: ${others.map(name).join(', ')}`;
  return { topic: best.topic, message };
}

const noun: Readonly<Record<MessageKind, string>> = {
  image: 'pictures',
  depth: 'depth',
  points: 'points',
  data: 'data',
};

/** Colour before grey and infrared, the whole run before a part of it, plain before nested names. */
function byPreference(a: TopicFacts, b: TopicFacts): number {
  return rank(a) - rank(b) || b.count - a.count || a.topic.length - b.topic.length || less(a, b);
}

function rank({ topic }: TopicFacts): number {
  if (/infra|\bir\b|thermal|mono|mask|debug/i.test(topic)) return 2;
  return /color|colour|rgb|depth/i.test(topic) ? 0 : 1;
}

function less(a: TopicFacts, b: TopicFacts): number {
  return a.topic < b.topic ? -1 : 1;
}

function requireKind(
  topics: readonly TopicFacts[],
  as: MessageKind,
  asked: string,
  path: string,
): string {
  const found = topics.find(({ topic }) => topic === asked);
  if (!found) {
    const message = `${path} has no topic "${asked}"; it has ${listed(topics)}`;
    throw new DepthlineError('SOURCE', message);
  }
  if (found.kind === as) return asked;
  const why = whyNot(found);
  const holds = found.kind === undefined ? `nothing that can be read${why}` : `"as: ${found.kind}"`;
  throw new DepthlineError(
    'SOURCE',
    `topic "${asked}" of ${path} (${nameInText(found.type)}) has no ${noun[as]}, but ${holds}`,
  );
}

function none(topics: readonly TopicFacts[], as: MessageKind, path: string): DepthlineError {
  const others = [...new Set(topics.flatMap(({ kind }) => (kind ? [kind] : [])))].filter(
    (kind) => kind !== 'calibration',
  );
  const advice = others.length > 0 ? `; set "as: ${others.join('" or "as: ')}"` : '';
  return new DepthlineError(
    'SOURCE',
    `${path} has no topic with ${noun[as]} that can be read: it has ${listed(topics)}${advice}`,
  );
}

const mostListed = 12;

function listed(topics: readonly TopicFacts[]): string {
  if (topics.length === 0) return 'no messages';
  const names = topics
    .slice(0, mostListed)
    .map((one) => `${nameInText(one.topic)} (${nameInText(one.type)}${whyNot(one)})`);
  return names.join(', ') + (topics.length > mostListed ? ', …' : '');
}

/** The reason may quote the file: on one line. */
function whyNot({ problem }: TopicFacts): string {
  return problem === undefined ? '' : `: ${problem.replace(/\s+/g, ' ').trim()}`;
}

/** The calibrations of a topic of pictures: beside it, as ROS names them, or the only ones there. */
export function infoTopicOf(topics: readonly TopicFacts[], topic: string): string | undefined {
  const folder = folderOf(topic.replace(/\/(compressed|compressedDepth)$/, ''));
  const beside = topics.filter(
    (one) => one.kind === 'calibration' && folderOf(one.topic) === folder,
  );
  const named = beside.find((one) => one.topic === `${folder}/camera_info`);
  return (named ?? (beside.length === 1 ? beside[0] : undefined))?.topic;
}

function folderOf(topic: string): string {
  return topic.slice(0, topic.lastIndexOf('/'));
}
