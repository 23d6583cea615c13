import type { FileHandle } from 'node:fs/promises';
import { Bag } from '@foxglove/rosbag';
import { parse } from '@foxglove/rosmsg';
import { MessageReader } from '@foxglove/rosmsg-serialization';
import { DepthlineError, reason } from '../core/errors.ts';
import { nameInText } from '../core/printable.ts';
import { largestRead, openRegularFile, whyUnreadable } from '../core/regular-file.ts';
import { requireSize } from '../mcap/compression.ts';
import { lz4Bound } from '../mcap/lz4-bound.ts';
import type { TopicFacts } from '../mcap/topic-choice.ts';
import { dataProblem, descriptionProblem } from '../ros/message-problems.ts';
import type { RosType } from '../ros/messages.ts';
import { fromRos1 } from './convert.ts';
import { kindOf, readTypes, type TypedMessage } from './frame-contents.ts';

/** A message of a bag; it is decoded when it is asked for. */
export interface BagMessage {
  readonly topic: string;
  /** When it was recorded, nanoseconds since the Unix epoch. */
  readonly time: bigint;
  /** @throws Error if the data does not match the definition of its type */
  decode(): TypedMessage;
}

type Unpack = (data: Uint8Array, size: number) => Uint8Array;

/** Enough of a chunk to see how it is packed, bytes. */
const chunkHead = 256;

/** A bag of ROS 1, version 2.0. */
export class BagFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #bag: Bag;
  readonly #readers = new Map<number, MessageReader>();

  private constructor(path: string, handle: FileHandle, bag: Bag) {
    this.path = path;
    this.#handle = handle;
    this.#bag = bag;
  }

  /** @throws DepthlineError `SOURCE` if it is no bag or has no index */
  static async open(path: string): Promise<BagFile> {
    let handle: FileHandle;
    try {
      handle = await openRegularFile(path);
    } catch (error) {
      throw new DepthlineError('SOURCE', whyUnreadable(path, error), { cause: error });
    }
    try {
      await requireBag(handle, path);
      const { size } = await handle.stat();
      const decompress: Record<string, Unpack> = {};
      const read = async (offset: number, length: number) => {
        // The index is read to the end of the file, and where it begins may be wrong.
        if (length > largestRead || offset + length > size)
          throw new Error(`it has no ${length} bytes at byte ${offset}`);
        const bytes = new Uint8Array(length);
        const { bytesRead } = await handle.read(bytes, 0, length, offset);
        if (bytesRead < length) throw new Error(`it ends at byte ${offset + bytesRead}`);
        return bytes;
      };
      const bag = new Bag({ read, size: () => size }, { parse: false, decompress });
      await bag.open();
      const [first] = bag.chunkInfos;
      if (!first) throw new Error('it has no index');
      const head = await read(first.chunkPosition, Math.min(chunkHead, size - first.chunkPosition));
      Object.assign(decompress, await loadUnpack(Buffer.from(head).includes('compression=bz2')));
      return new BagFile(path, handle, bag);
    } catch (error) {
      await handle.close();
      if (error instanceof DepthlineError) throw error;
      throw new DepthlineError(
        'SOURCE',
        `${path} is cut off or damaged: its index cannot be read; "rosbag reindex" may repair it`,
        { cause: error },
      );
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** When the first message was recorded, nanoseconds since the Unix epoch. */
  get begin(): bigint {
    return nanoseconds(this.#bag.startTime ?? { sec: 0, nsec: 0 });
  }

  /** Messages in the order in which they were recorded. */
  async *messages(topics?: readonly string[], from = 0n): AsyncGenerator<BagMessage> {
    const start = from > this.begin ? from : this.begin;
    const found = this.#bag.messageIterator({
      ...(topics && { topics: [...topics] }),
      start: { sec: Number(start / 1_000_000_000n), nsec: Number(start % 1_000_000_000n) },
    });
    try {
      for await (const { topic, timestamp, data, connectionId } of found) {
        const decode = () => this.#decode(connectionId, data);
        yield { topic, time: nanoseconds(timestamp), decode };
      }
    } catch (error) {
      throw new DepthlineError('SOURCE', `${this.path} ${chunkProblem(error)}`, { cause: error });
    }
  }

  /** The topics of the bag, by what their first messages hold. */
  async topics(): Promise<TopicFacts[]> {
    const facts: TopicFacts[] = [];
    for (const { conn, topic, type = '' } of this.#bag.connections.values()) {
      if (facts.some((one) => one.topic === topic)) continue;
      const counts = this.#bag.chunkInfos.flatMap(({ connections }) =>
        connections.filter((one) => one.conn === conn).map(({ count }) => count),
      );
      const holds = readTypes.has(type) ? await this.#holds(topic) : { kind: undefined };
      facts.push({ topic, type, ...holds, count: counts.reduce((sum, count) => sum + count, 0) });
    }
    return facts;
  }

  async #holds(topic: string): Promise<Pick<TopicFacts, 'kind' | 'problem'>> {
    for await (const message of this.messages([topic])) {
      try {
        return { kind: kindOf(message.decode()) };
      } catch (error) {
        return { kind: undefined, problem: reason(error) };
      }
    }
    return { kind: undefined };
  }

  #decode(connectionId: number, data: Uint8Array): TypedMessage {
    const connection = this.#bag.connections.get(connectionId);
    const type = connection?.type ?? '';
    if (!connection || !readTypes.has(type)) throw new Error(`messages of ${type} are not read`);
    let reader = this.#readers.get(connectionId);
    if (!reader) {
      reader = readerOf(connection.messageDefinition);
      this.#readers.set(connectionId, reader);
    }
    try {
      const message = fromRos1(type as RosType, reader.readMessage(data));
      return { type, message } as TypedMessage;
    } catch (error) {
      throw dataProblem(error);
    }
  }
}

function readerOf(definition: string): MessageReader {
  try {
    return new MessageReader(parse(definition));
  } catch (error) {
    throw descriptionProblem(error, 'message definition');
  }
}

/** What files begin with that are taken for bags of ROS 1, and what to do with them. */
const others: readonly (readonly [RegExp, string])[] = [
  [/^#ROSBAG V1/, 'is a bag of version 1; "rosbag fix" makes one of version 2.0 of it'],
  [/^\x89MCAP/, 'is an MCAP file; read it with the source "mcap"'],
  [
    /^SQLite format 3/,
    'is a bag of ROS 2 in SQLite; "ros2 bag convert" makes an MCAP file of it, for the source "mcap"',
  ],
];

/** @throws DepthlineError `SOURCE` if the file does not begin like a bag */
async function requireBag(handle: FileHandle, path: string): Promise<void> {
  const bytes = Buffer.alloc(16);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  const head = bytes.toString('latin1', 0, bytesRead);
  if (head.startsWith('#ROSBAG V2.0')) return;
  const [, what = 'is no bag of ROS 1'] = others.find(([begin]) => begin.test(head)) ?? [];
  throw new DepthlineError('SOURCE', `${path} ${bytesRead === 0 ? 'is empty' : what}`);
}

/** What is wrong with the chunks of a bag. The library tells of its own insides otherwise. */
function chunkProblem(error: unknown): string {
  const [, compression] = /^Unsupported compression type (.*)/.exec(reason(error)) ?? [];
  if (compression === undefined) return 'is damaged: a chunk of it cannot be read';
  return `has chunks of ${nameInText(compression)}; only bz2, lz4 and chunks without compression are read`;
}

function nanoseconds({ sec, nsec }: { readonly sec: number; readonly nsec: number }): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

/** What unpacks chunks, by the name of their compression; bz2 only where it is needed. */
async function loadUnpack(bz2: boolean): Promise<Record<string, Unpack>> {
  const { decompressFrameSync } = await import('lz4-napi');
  const lz4: Unpack = (data) => {
    requireSize(lz4Bound(data));
    return decompressFrameSync(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  };
  return { lz4, ...(bz2 && { bz2: await loadBzip2() }) };
}

let bzip2: Promise<Unpack> | undefined;

function loadBzip2(): Promise<Unpack> {
  bzip2 ??= (async () => {
    const { default: Bzip2 } = await import('@foxglove/wasm-bz2');
    // What it was compiled with takes over the errors of the whole process.
    const events = ['uncaughtException', 'unhandledRejection'];
    const before = new Set(events.flatMap((event) => process.rawListeners(event as never)));
    const loaded = await Bzip2.init();
    for (const event of events) {
      for (const listener of process.rawListeners(event as never)) {
        if (!before.has(listener)) process.off(event, listener as () => void);
      }
    }
    return (data, size) => {
      requireSize(size);
      return loaded.decompress(data, size, { small: false });
    };
  })();
  return bzip2;
}
