import { crc32Final, crc32Init, crc32Update } from '@foxglove/crc';
import { McapChunkBuilder, McapConstants, McapRecordBuilder, type McapTypes } from '@mcap/core';
import type { MessageSchema } from '../ros/codec.ts';
import type { PackedChunk } from './chunk-compressor.ts';

export interface WriterOptions {
  /** `ros2`, or empty. */
  readonly profile: string;
  readonly library: string;
  /** A chunk ends when it holds this much, bytes before compression. */
  readonly chunkBytes: number;
}

/** A chunk that gets no further messages. */
export interface EndedChunk {
  /** Before compression. */
  readonly data: Uint8Array;
  readonly messageStartTime: bigint;
  readonly messageEndTime: bigint;
  readonly indices: readonly McapTypes.MessageIndex[];
}

/** A message with what a reader needs to know of its topic. */
export interface WrittenMessage {
  readonly topic: string;
  /** Nothing for messages without one. */
  readonly schema: MessageSchema | undefined;
  readonly messageEncoding: string;
  /** What else is said of the topic. */
  readonly metadata?: ReadonlyMap<string, string>;
  readonly sequence: number;
  /** Nanoseconds since the Unix epoch. */
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/**
 * An MCAP file as bytes, which the caller writes to a disk. `McapWriter` of the library could not be
 * used: it ends chunks by size alone, so that slow data would stay in memory, and a write that fails
 * leaves it unusable. This one keeps what was not written, and of each chunk only its index.
 */
export class ChunkedWriter {
  readonly #options: WriterOptions;
  readonly #records = new McapRecordBuilder();
  readonly #chunk = new McapChunkBuilder({});
  readonly #schemas = new Map<MessageSchema, McapTypes.Schema>();
  readonly #channels = new Map<string, McapTypes.Channel>();
  readonly #indices = new McapRecordBuilder();
  readonly #metadataIndices = new McapRecordBuilder();
  readonly #counts = new Map<number, bigint>();
  #chunks = 0;
  #metadata = 0;
  #start: bigint | undefined;
  #end = 0n;
  #parts: Uint8Array[] = [];
  #length = 0n;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#records.writeMagic();
    this.#records.writeHeader({ profile: options.profile, library: options.library });
    this.#emit();
  }

  /** Bytes that the file has so far, without the open chunk. */
  get length(): bigint {
    return this.#length;
  }

  /** Messages in the open chunk. */
  get open(): number {
    return this.#chunk.numMessages;
  }

  /** Bytes in the open chunk, before compression. */
  get openBytes(): number {
    return this.#chunk.byteLength;
  }

  /** The bytes that were not taken yet. */
  take(): Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  add(message: WrittenMessage): void {
    const { id: channelId } = this.#channel(message);
    const { sequence, logTime, publishTime, data } = message;
    this.#chunk.addMessage({ channelId, sequence, logTime, publishTime, data });
    this.#counts.set(channelId, (this.#counts.get(channelId) ?? 0n) + 1n);
    if (this.#start === undefined || logTime < this.#start) this.#start = logTime;
    if (logTime > this.#end) this.#end = logTime;
  }

  /** Whether the open chunk is large enough to be ended. */
  get full(): boolean {
    return this.#chunk.byteLength >= this.#options.chunkBytes;
  }

  /** Ends the open chunk, which `addChunk` gets when it is packed; nothing if it has no messages. */
  endChunk(): EndedChunk | undefined {
    if (this.#chunk.numMessages === 0) return undefined;
    const { messageStartTime, messageEndTime, buffer: data } = this.#chunk;
    const indices = [...this.#chunk.indices];
    this.#chunk.reset();
    return { data, messageStartTime, messageEndTime, indices };
  }

  /** Adds chunks, in the order in which they ended. */
  addChunk(
    { data, indices, messageStartTime, messageEndTime }: EndedChunk,
    { compression, records, crc: uncompressedCrc }: PackedChunk,
  ): void {
    const uncompressedSize = BigInt(data.length);
    const times = { messageStartTime, messageEndTime };
    const chunkStartOffset = this.#length;
    const chunkLength = this.#records.writeChunk({
      ...times,
      ...{ uncompressedSize, uncompressedCrc, compression, records },
    });
    this.#emit();
    const indexStart = this.#length;
    const messageIndexOffsets = new Map<number, bigint>();
    for (const index of indices) {
      messageIndexOffsets.set(index.channelId, indexStart + BigInt(this.#records.length));
      this.#records.writeMessageIndex(index);
    }
    const messageIndexLength = BigInt(this.#records.length);
    this.#emit();
    this.#indices.writeChunkIndex({
      ...times,
      ...{ chunkStartOffset, chunkLength, messageIndexOffsets, messageIndexLength, compression },
      ...{ compressedSize: BigInt(records.length), uncompressedSize },
    });
    this.#chunks++;
  }

  /** Adds named values, after the last chunk. */
  addMetadata(name: string, metadata: ReadonlyMap<string, string>): void {
    const offset = this.#length;
    const length = this.#records.writeMetadata({ name, metadata: new Map(metadata) });
    this.#emit();
    this.#metadataIndices.writeMetadataIndex({ name, offset, length });
    this.#metadata++;
  }

  /** Ends the file with its index, after the last chunk. */
  end(): void {
    this.#records.writeDataEnd({ dataSectionCrc: 0 });
    this.#emit();
    this.#writeSummary();
  }

  #channel({ topic, schema, messageEncoding, metadata }: WrittenMessage): McapTypes.Channel {
    const key = `${topic}\n${schema?.name ?? ''}\n${messageEncoding}`;
    const known = this.#channels.get(key);
    if (known) return known;
    const id = this.#channels.size;
    const schemaId = schema ? this.#schema(schema).id : 0;
    const channel = { id, schemaId, topic, messageEncoding, metadata: new Map(metadata) };
    this.#channels.set(key, channel);
    this.#chunk.addChannel(channel);
    return channel;
  }

  #schema(schema: MessageSchema): McapTypes.Schema {
    const known = this.#schemas.get(schema);
    if (known) return known;
    const { name, encoding, data } = schema;
    const described = { id: this.#schemas.size + 1, name, encoding, data };
    this.#schemas.set(schema, described);
    this.#chunk.addSchema(described);
    return described;
  }

  #writeSummary(): void {
    const summaryStart = this.#length;
    const { Opcode } = McapConstants;
    const groups: [number, () => void][] = [
      [Opcode.SCHEMA, () => this.#each(this.#schemas, (one) => this.#records.writeSchema(one))],
      [Opcode.CHANNEL, () => this.#each(this.#channels, (one) => this.#records.writeChannel(one))],
      [Opcode.STATISTICS, () => this.#records.writeStatistics(this.#statistics())],
      [Opcode.METADATA_INDEX, () => this.#raw(this.#metadataIndices)],
      [Opcode.CHUNK_INDEX, () => this.#raw(this.#indices)],
    ];
    const offsets: McapTypes.SummaryOffset[] = [];
    const before = this.#parts.length;
    for (const [groupOpcode, write] of groups) {
      const groupStart = this.#length;
      write();
      this.#emit();
      const groupLength = this.#length - groupStart;
      if (groupLength > 0n) offsets.push({ groupOpcode, groupStart, groupLength });
    }
    const summaryOffsetStart = this.#length;
    for (const offset of offsets) this.#records.writeSummaryOffset(offset);
    this.#emit();
    const crc = this.#parts.slice(before).reduce(crc32Update, crc32Init());
    this.#writeFooter(summaryStart, summaryOffsetStart, crc);
  }

  #writeFooter(summaryStart: bigint, summaryOffsetStart: bigint, crc: number): void {
    // The sum includes the footer up to itself.
    const footer = { summaryStart, summaryOffsetStart };
    const probe = new McapRecordBuilder();
    probe.writeFooter({ ...footer, summaryCrc: 0 });
    const summaryCrc = crc32Final(crc32Update(crc, probe.buffer.subarray(0, -4)));
    this.#records.writeFooter({ ...footer, summaryCrc });
    this.#records.writeMagic();
    this.#emit();
  }

  #each<T>(items: ReadonlyMap<unknown, T>, write: (item: T) => void): void {
    for (const item of items.values()) write(item);
  }

  #raw(records: McapRecordBuilder): void {
    this.#push(records.buffer);
  }

  #statistics(): McapTypes.Statistics {
    return {
      messageCount: [...this.#counts.values()].reduce((sum, count) => sum + count, 0n),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.size,
      ...{ attachmentCount: 0, metadataCount: this.#metadata, chunkCount: this.#chunks },
      ...{ messageStartTime: this.#start ?? 0n, messageEndTime: this.#end },
      channelMessageCounts: new Map(this.#counts),
    };
  }

  /** Moves what was built to the bytes to take. */
  #emit(): void {
    if (this.#records.length > 0) this.#push(this.#records.buffer);
    this.#records.reset();
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += BigInt(bytes.length);
  }
}
