import type { FileHandle } from 'node:fs/promises';
import type { McapTypes } from '@mcap/core';
import { McapConstants, McapIndexedReader, McapRecordBuilder, McapStreamReader } from '@mcap/core';
import { DepthlineError, reason } from '../core/errors.ts';
import { largestRead, openRegularFile, whyUnreadable } from '../core/regular-file.ts';

/** A message with its topic. Its data is part of a chunk, which is kept in memory as long as this. */
export interface ReadMessage {
  readonly channel: McapTypes.Channel;
  /** Nothing if the topic has none. */
  readonly schema: McapTypes.Schema | undefined;
  readonly sequence: number;
  /** Nanoseconds since the Unix epoch. */
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** Which messages are read, nanoseconds since the first one; both ends belong to them. */
export interface TimeRange {
  /** In place of the first message: what the times count from, nanoseconds since the Unix epoch. */
  readonly origin?: bigint | undefined;
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
}

/** A record as it is in the file. */
export interface RawRecord {
  readonly opcode: number;
  readonly at: number;
  /** With its head of 9 bytes. */
  readonly bytes: Uint8Array;
}

const { MCAP_MAGIC, Opcode } = McapConstants;
/** Opcode and length. */
const headBytes = 9;
/** A record that says it is larger is taken for damage. */
const largestRecord = largestRead - headBytes;

/** An MCAP file that is read in its own order, from the start to the end or to where it is cut off. */
export class McapFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #decompress: McapTypes.DecompressHandlers;
  /** Nothing for a file that was cut off or has no index. */
  readonly summary: McapIndexedReader | undefined;

  private constructor(
    path: string,
    handle: FileHandle,
    size: number,
    decompress: McapTypes.DecompressHandlers,
    summary: McapIndexedReader | undefined,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
    this.#decompress = decompress;
    this.summary = summary;
  }

  /** @throws DepthlineError `SOURCE` if the file cannot be opened or is no MCAP file */
  static async open(path: string, decompress: McapTypes.DecompressHandlers): Promise<McapFile> {
    let handle: FileHandle;
    try {
      handle = await openRegularFile(path);
    } catch (error) {
      throw new DepthlineError('SOURCE', whyUnreadable(path, error), { cause: error });
    }
    try {
      const { size } = await handle.stat();
      const magic = Buffer.alloc(MCAP_MAGIC.length);
      await handle.read(magic, 0, magic.length, 0);
      if (!magic.equals(Uint8Array.from(MCAP_MAGIC)))
        throw new DepthlineError('SOURCE', `${path} ${otherFile(magic.toString('latin1'), size)}`);
      return new McapFile(path, handle, size, decompress, await readSummary(handle, size));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** When the first message was recorded; nothing if there is none. */
  async begin(): Promise<bigint | undefined> {
    if (this.startTime !== undefined) return this.startTime;
    for await (const { logTime } of this.messages()) return logTime;
    return undefined;
  }

  /** When the first message was recorded, as far as the index knows; nanoseconds. */
  get startTime(): bigint | undefined {
    const chunks = this.summary?.chunkIndexes ?? [];
    return chunks.reduce<bigint | undefined>(
      (least, { messageStartTime }) =>
        least === undefined || messageStartTime < least ? messageStartTime : least,
      undefined,
    );
  }

  /**
   * Messages in the order of the file.
   *
   * @param onDamage told of a chunk that cannot be read, which is then left out
   * @returns whether the file has its end: false for one that was cut off
   * @throws DepthlineError `SOURCE` where it is damaged
   */
  async *messages(
    range: TimeRange = {},
    onDamage?: (problem: DepthlineError) => void,
  ): AsyncGenerator<ReadMessage, boolean> {
    // A chunk that is left out may be the one that describes the topics.
    let reader = new Records(this.#decompress, this.summary);
    let start = range.origin ?? this.startTime;
    const records = this.records((opcode, head) => wanted(opcode, head, range, start));
    for (;;) {
      const { value, done } = await records.next();
      if (done) return value;
      try {
        for (const message of reader.read(value.bytes)) {
          start ??= message.logTime;
          const at = message.logTime - start;
          if (at >= (range.from ?? at) && at <= (range.to ?? at)) yield message;
        }
      } catch (error) {
        const problem = this.#damaged(value.at, error);
        if (!onDamage) throw problem;
        onDamage(problem);
        reader = new Records(this.#decompress, reader);
      }
    }
  }

  /**
   * The records of the data section, as they are.
   *
   * @param choose by opcode and the first bytes of the record: whether it is read
   * @returns whether the file has its end
   */
  async *records(
    choose: (opcode: number, head: Buffer) => boolean,
  ): AsyncGenerator<RawRecord, boolean> {
    const head = Buffer.alloc(headBytes + 16);
    for (let at = MCAP_MAGIC.length; ; ) {
      const { bytesRead } = await this.#handle.read(head, 0, head.length, at);
      if (bytesRead < headBytes) return false;
      const opcode = head[0] as number;
      const length = Number(head.readBigUInt64LE(1));
      if (at + headBytes + length > this.#size) return false;
      if (opcode === Opcode.DATA_END || opcode === Opcode.FOOTER) return true;
      if (opcode === 0 || length > largestRecord)
        throw this.#damaged(at, new Error(`a record of ${length} bytes`));
      if (choose(opcode, head)) {
        const bytes = new Uint8Array(headBytes + length);
        await this.#handle.read(bytes, 0, bytes.length, at);
        yield { opcode, at, bytes };
      }
      at += headBytes + length;
    }
  }

  #damaged(at: number, error: unknown): DepthlineError {
    return new DepthlineError(
      'SOURCE',
      `${this.path} is damaged at byte ${at}: ${reason(error).replace(' [no header]', '')}; "depthline recover" keeps what can be read`,
      { cause: error },
    );
  }
}

/** What a file is whose first bytes are not those of MCAP. */
function otherFile(head: string, size: number): string {
  if (size === 0) return 'is empty';
  if (head.startsWith('#ROSBAG')) return 'is a bag of ROS 1; read it with the source "rosbag"';
  if (head.startsWith('SQLite'))
    return 'is a bag of ROS 2 in SQLite; "ros2 bag convert" makes an MCAP file of it';
  return 'is not an MCAP file';
}

/** The index of a complete file; nothing if it has none or it is damaged. */
async function readSummary(
  handle: FileHandle,
  size: number,
): Promise<McapIndexedReader | undefined> {
  const readable = {
    size: async () => BigInt(size),
    async read(offset: bigint, length: bigint) {
      // A damaged length may be anything.
      if (length > largestRead || offset + length > size)
        throw new RangeError(`${length} bytes at ${offset}`);
      const bytes = new Uint8Array(Number(length));
      await handle.read(bytes, 0, bytes.length, Number(offset));
      return bytes;
    },
  };
  try {
    return await McapIndexedReader.Initialize({ readable });
  } catch {
    // It is read from its start to where it ends.
    return undefined;
  }
}

const read: ReadonlySet<number> = new Set([
  Opcode.SCHEMA,
  Opcode.CHANNEL,
  Opcode.MESSAGE,
  Opcode.CHUNK,
]);

/**
 * @param head opcode, length, and of a chunk the times of its first and last message
 * @param start of the recording, if it is known
 */
function wanted(
  opcode: number,
  head: Buffer,
  { from, to }: TimeRange,
  start: bigint | undefined,
): boolean {
  if (opcode !== Opcode.CHUNK || start === undefined) return read.has(opcode);
  const first = head.readBigUInt64LE(headBytes) - start;
  const last = head.readBigUInt64LE(headBytes + 8) - start;
  return last >= (from ?? last) && first <= (to ?? first);
}

type Described = Pick<McapIndexedReader, 'schemasById' | 'channelsById'>;

/** Reads the messages of records, and remembers the topics that others describe. */
class Records implements Described {
  readonly schemasById = new Map<number, McapTypes.TypedMcapRecords['Schema']>();
  readonly channelsById = new Map<number, McapTypes.TypedMcapRecords['Channel']>();
  readonly #stream: McapStreamReader;

  /** @param known topics that need not be described again */
  constructor(decompressHandlers: McapTypes.DecompressHandlers, known: Described | undefined) {
    this.#stream = new McapStreamReader({ noMagicPrefix: true, decompressHandlers });
    const builder = new McapRecordBuilder();
    for (const schema of known?.schemasById.values() ?? []) builder.writeSchema(schema);
    for (const channel of known?.channelsById.values() ?? []) builder.writeChannel(channel);
    if (builder.length > 0) this.read(builder.buffer).next();
  }

  *read(bytes: Uint8Array): Generator<ReadMessage> {
    this.#stream.append(bytes);
    const keep = isCompressed(bytes);
    for (let record = this.#stream.nextRecord(); record; record = this.#stream.nextRecord()) {
      if (record.type === 'Schema') this.schemasById.set(record.id, record);
      if (record.type === 'Channel') this.channelsById.set(record.id, record);
      if (record.type !== 'Message') continue;
      const { channelId, sequence, logTime, publishTime } = record;
      const channel = this.channelsById.get(channelId) as McapTypes.Channel;
      const schema = this.schemasById.get(channel.schemaId);
      // What was not unpacked is in memory that the reader uses again.
      const data = keep ? record.data : record.data.slice();
      yield { channel, schema, sequence, logTime, publishTime, data };
    }
  }
}

/** Where a chunk has the length of the name of its compression, after three numbers and a checksum. */
const compressionAt = headBytes + 28;

function isCompressed(bytes: Uint8Array): boolean {
  if (bytes[0] !== Opcode.CHUNK || bytes.length < compressionAt + 4) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(compressionAt, true) > 0;
}
