import type { Intrinsics, MessageKind } from '../core/frame.ts';
import type { Track } from '../mcap/playback.ts';
import type { Played } from '../mcap/played-frame.ts';
import { chooseTopic, infoTopicOf } from '../mcap/topic-choice.ts';
import { nanosecondsOf } from '../ros/messages.ts';
import { intrinsicsOf, isDistorted } from '../ros/to-frame.ts';
import { BagFile, type BagMessage } from './bag-file.ts';
import { contentsOf, type TypedMessage } from './frame-contents.ts';

export interface BagOptions {
  /** Absolute path. */
  readonly path: string;
  /** As it is called in messages. */
  readonly name: string;
  readonly as: MessageKind;
  readonly topic: string | undefined;
  /** Since the start of the bag, milliseconds. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

interface PlayOptions extends Pick<BagOptions, 'as' | 'warn' | 'name'> {
  readonly topic: string;
  readonly infoTopic: string | undefined;
  readonly from: bigint;
  readonly to: bigint | undefined;
}

/**
 * A bag as a file that is played.
 *
 * @throws DepthlineError `SOURCE` if it is no bag or has no such frames
 */
export async function bagTrack(options: BagOptions): Promise<Track> {
  const { path, name, as, topic, fromMs, toMs, info, warn } = options;
  const bag = await BagFile.open(path);
  try {
    const topics = await bag.topics();
    const choice = chooseTopic(topics, as, topic, name);
    if (choice.message !== undefined) info(`"${name}": ${choice.message}`);
    const play: PlayOptions = {
      ...{ as, warn, name, topic: choice.topic, infoTopic: infoTopicOf(topics, choice.topic) },
      from: bag.begin + nanoseconds(fromMs ?? 0),
      to: toMs === undefined ? undefined : bag.begin + nanoseconds(toMs),
    };
    const start = async () => {
      const opened = await BagFile.open(path);
      return { frames: played(opened, play), close: () => opened.close() };
    };
    return { path, start };
  } finally {
    await bag.close();
  }
}

/** The frames of one topic: numbered from 0, timed by their stamps. */
async function* played(
  bag: BagFile,
  { topic, infoTopic, as, from, to, warn, name }: PlayOptions,
): AsyncGenerator<Played, boolean> {
  let seq = 0;
  let first: bigint | undefined;
  let pts = 0n;
  let intrinsics: Intrinsics | undefined;
  let told = false;
  const topics = infoTopic === undefined ? [topic] : [topic, infoTopic];
  for await (const message of bag.messages(topics, from)) {
    if (to !== undefined && message.time > to) break;
    const decoded = settled(message);
    if (message.topic === infoTopic) {
      if ('problem' in decoded || decoded.type !== 'sensor_msgs/CameraInfo') continue;
      intrinsics = intrinsicsOf(decoded.message);
      if (!told && isDistorted(decoded.message)) {
        told = true;
        warn(
          `"${name}": the lens of this camera bends its pictures; its intrinsics are used as if it did not`,
        );
      }
      continue;
    }
    const time = stampOf(decoded) ?? message.time;
    first ??= time;
    // Stamps of a recording may go back a little; times of frames do not.
    if (time - first > pts) pts = time - first;
    const known = intrinsics;
    const contents = async () => {
      if ('problem' in decoded) throw decoded.problem;
      return contentsOf(decoded, as, known);
    };
    yield { seq: seq++, pts, dropped: [], contents };
  }
  return true;
}

/** Errors are kept until the frame is due. */
function settled(message: BagMessage): TypedMessage | { readonly problem: unknown } {
  try {
    return message.decode();
  } catch (problem) {
    return { problem };
  }
}

/** When the message was made; nothing if it does not say so. */
function stampOf(decoded: ReturnType<typeof settled>): bigint | undefined {
  if ('problem' in decoded || decoded.type === 'tf2_msgs/TFMessage') return undefined;
  const stamp = nanosecondsOf(decoded.message.header.stamp);
  return stamp > 0n ? stamp : undefined;
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
