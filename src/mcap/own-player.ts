import { DepthlineError } from '../core/errors.ts';
import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { pointsOf } from '../ros/to-frame.ts';
import type { Decoders } from './decoders.ts';
import {
  type FrameRecord,
  ownTopics,
  type PartName,
  parseRecord,
  parseRest,
} from './frame-record.ts';
import type { McapFile, ReadMessage } from './mcap-file.ts';
import { readDepth, readPicture } from './message-pixels.ts';
import type { FrameContents, Played, PlayedFrame, PlayOptions } from './played-frame.ts';

type Parts = ReadonlyMap<PartName, ReadMessage>;
type Geometry = Pick<ImageFrame, 'view' | 'intrinsics'>;

/**
 * The frames of a Depthline recording, with their numbers, times, views and drops.
 *
 * @param topic of the frame records: `/camera/depthline/frame`
 */
export async function* playOwn(
  file: McapFile,
  decoders: Decoders,
  topic: string,
  options: PlayOptions,
): AsyncGenerator<Played, boolean> {
  const ledgerTopic = topic.replace(ownTopics.frame, ownTopics.ledger);
  /** The newest message of each topic: those of a frame come before its record. */
  const newest = new Map<string, ReadMessage>();
  const messages = file.messages(options);
  for (;;) {
    const { value: message, done } = await messages.next();
    if (done) return message;
    if (message.channel.topic === ledgerTopic) {
      const rest = parseRest(decoders.json(message));
      if (rest.length > 0) yield { rest };
      continue;
    }
    if (message.channel.topic !== topic) {
      newest.set(message.channel.topic, message);
      continue;
    }
    const record = parseRecord(decoders.json(message));
    if (!record) throw unknownRecord(file.path);
    yield playedOf(record, partsOf(record, newest, message), decoders, options, file.path);
    newest.clear();
  }
}

function partsOf(
  { parts }: FrameRecord,
  newest: ReadonlyMap<string, ReadMessage>,
  { logTime }: ReadMessage,
): Parts {
  const found = new Map<PartName, ReadMessage>();
  for (const [part, said] of Object.entries(parts)) {
    const message = said && newest.get(said.topic);
    if (message?.logTime === logTime) found.set(part as PartName, message);
  }
  return found;
}

function playedOf(
  record: FrameRecord,
  parts: Parts,
  decoders: Decoders,
  { as }: PlayOptions,
  path: string,
): PlayedFrame {
  const { seq, pts, dropped = [] } = record;
  const contents = async () => {
    if (!parts.has(as)) throw withoutPart(as, record, path);
    return makers[as](record, parts, decoders);
  };
  return { seq, pts: BigInt(pts), dropped, contents };
}

type Maker = (record: FrameRecord, parts: Parts, decoders: Decoders) => Promise<FrameContents>;

const makers: Readonly<Record<PlayOptions['as'], Maker>> = {
  async image(record, parts, decoders) {
    const truth = await truthOf(parts, decoders);
    const picture = await readPicture(required(parts, 'image'), decoders);
    return {
      kind: 'image',
      ...named(record),
      ...geometryOf(record, 'image'),
      ...picture,
      ...(truth && { truth }),
    };
  },
  async depth(record, parts, decoders) {
    const { unit, range, model } = record;
    const map = await readDepth(required(parts, 'depth'), decoders);
    const [truth, image, picture] = [
      await truthOf(parts, decoders),
      await nested('image', record, parts, decoders),
      await nested('picture', record, parts, decoders),
    ];
    return {
      kind: 'depth',
      ...named(record),
      ...geometryOf(record, 'depth'),
      ...map,
      ...(unit && { unit }),
      ...(range && { range }),
      ...(model && { model }),
      ...(truth && { truth }),
      ...(image && { image }),
      ...(picture && { picture }),
    };
  },
  async points(record, parts, decoders) {
    const message = decoders.decode(required(parts, 'points'), 'sensor_msgs/PointCloud2');
    if (!message) throw new Error('its points are of an unknown type');
    return {
      kind: 'points',
      ...named(record),
      ...geometryOf(record, 'points'),
      ...pointsOf(message),
    };
  },
  async data(record, parts, decoders) {
    const { value } = (decoders.json(required(parts, 'data')) ?? {}) as { value?: unknown };
    return { kind: 'data', ...named(record), ...geometryOf(record, 'data'), value };
  },
};

async function nested(
  part: 'image' | 'picture',
  record: FrameRecord,
  parts: Parts,
  decoders: Decoders,
) {
  const message = parts.get(part);
  if (!message) return undefined;
  const picture = await readPicture(message, decoders);
  return {
    kind: 'image' as const,
    ...named(record),
    ...geometryOf(record, part),
    ...picture,
  };
}

async function truthOf(parts: Parts, decoders: Decoders): Promise<DepthMap | undefined> {
  const message = parts.get('truth');
  return message && readDepth(message, decoders);
}

function required(parts: Parts, part: PartName): ReadMessage {
  return parts.get(part) as ReadMessage;
}

function named({ name }: FrameRecord): { name?: string } {
  return name === undefined ? {} : { name };
}

function geometryOf({ parts }: FrameRecord, part: PartName): Geometry {
  const { view, intrinsics } = parts[part] ?? {};
  return { ...(view && { view: view as never }), ...(intrinsics && { intrinsics }) };
}

function withoutPart(as: string, { parts, seq }: FrameRecord, path: string): DepthlineError {
  const has = Object.keys(parts).filter((part) => part !== 'truth' && part !== 'picture');
  return new DepthlineError(
    'SOURCE',
    `frame ${seq} of ${path} has no ${as}; set "as: ${has.join('" or "as: ')}"`,
  );
}

function unknownRecord(path: string): DepthlineError {
  return new DepthlineError(
    'SOURCE',
    `${path} was recorded by another version of Depthline; name a topic to read its messages without their numbers`,
  );
}
