import { type FileHandle, open } from 'node:fs/promises';

/** What a video file says of itself. */
export interface ContainerFacts {
  /** The file ends before what its own structure announces. */
  readonly cutOff: boolean;
  /** As announced, nanoseconds; undefined if it is not. */
  readonly durationNs: bigint | undefined;
}

/** Reads a few bytes at a position: fewer at the end of the file. */
interface Bytes {
  readonly size: number;
  at(position: number, length: number): Promise<Buffer>;
}

/**
 * Reads the structure of an MP4, MOV, Matroska, WebM or AVI file, which demuxers do not complain
 * about when it is cut off.
 *
 * @returns undefined for other containers and files that cannot be read
 */
export async function inspectContainer(path: string): Promise<ContainerFacts | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const bytes = bytesOf(file, (await file.stat()).size);
    const start = await bytes.at(0, 12);
    if (start.length < 12) return undefined;
    if (start.readUInt32BE(0) === ebml.header) return await inspectMatroska(bytes);
    if (start.toString('latin1', 0, 4) === 'RIFF') return await inspectRiff(bytes, start);
    if (boxTypes.test(start.toString('latin1', 4, 8))) return await inspectMp4(bytes);
    return undefined;
  } catch {
    // It was readable a moment ago, when it was played; nothing is known of its end.
    return undefined;
  } finally {
    await file?.close();
  }
}

function bytesOf(file: FileHandle, size: number): Bytes {
  return {
    size,
    async at(position, length) {
      // A damaged file may claim anything; Node.js aborts the process when it is asked for 2 GB.
      if (length > mostBytes) throw new RangeError(`${length} bytes at ${position}`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
  };
}

/** More is never needed at once. */
const mostBytes = 64;

/** A structure that has more parts than this is not followed to its end. */
const mostParts = 1_000_000;

const boxTypes = /^(?:ftyp|moov|mdat|free|skip|wide|pnot|styp)$/;

/** ISO 14496-12: boxes of a size and a type; `moov` holds `mvhd` with the duration. */
async function inspectMp4(bytes: Bytes): Promise<ContainerFacts> {
  let durationNs: bigint | undefined;
  let at = 0;
  for (let n = 0; n < mostParts && at < bytes.size; n++) {
    const header = await bytes.at(at, 16);
    if (header.length < 8) break;
    const short = header.readUInt32BE(0);
    const size = short === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : short;
    // 0 means up to the end of the file; anything else below 8 is not a box.
    if (size < 8) break;
    if (header.toString('latin1', 4, 8) === 'moov') {
      durationNs = movieDuration(await bytes.at(at + 8, 40));
    }
    at += size;
  }
  return { cutOff: at > bytes.size, durationNs };
}

function movieDuration(mvhd: Buffer): bigint | undefined {
  if (mvhd.length < 40 || mvhd.toString('latin1', 4, 8) !== 'mvhd') return undefined;
  const long = mvhd[8] === 1;
  const scale = mvhd.readUInt32BE(long ? 28 : 20);
  const duration = long ? mvhd.readBigUInt64BE(32) : BigInt(mvhd.readUInt32BE(24));
  return scale > 0 && duration > 0n ? (duration * 1_000_000_000n) / BigInt(scale) : undefined;
}

/** RFC 8794 and 9559. */
const ebml = {
  header: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
} as const;

interface EbmlElement {
  readonly id: number;
  /** Where its content begins. */
  readonly content: number;
  /** Undefined if it was not known when it was written. */
  readonly size: number | undefined;
}

async function inspectMatroska(bytes: Bytes): Promise<ContainerFacts> {
  let scale = 1_000_000;
  let duration: number | undefined;
  let cutOff = false;
  let at = 0;
  for (let n = 0; n < mostParts && at < bytes.size; n++) {
    const element = await readElement(bytes, at);
    if (!element) break;
    const { id, content, size } = element;
    if (id === ebml.timestampScale) scale = unsigned(await bytes.at(content, size ?? 0));
    if (id === ebml.duration) duration = float(await bytes.at(content, size ?? 0));
    if (size !== undefined && content + size > bytes.size) cutOff = true;
    if (id === ebml.segment && size !== undefined && !cutOff) break;
    // A live recording does not know how long its clusters are: their blocks are followed.
    const enter = id === ebml.segment || id === ebml.info || size === undefined;
    at = enter ? content : content + size;
  }
  return { cutOff, durationNs: nanoseconds(duration, scale) };
}

async function readElement(bytes: Bytes, at: number): Promise<EbmlElement | undefined> {
  const head = await bytes.at(at, 12);
  const idLength = Math.clz32((head[0] ?? 0) << 24) + 1;
  const sizeLength = Math.clz32((head[idLength] ?? 0) << 24) + 1;
  if (idLength > 4 || sizeLength > 8 || head.length < idLength + sizeLength) return undefined;
  const data = head.subarray(idLength, idLength + sizeLength);
  const marker = 1 << (8 - sizeLength);
  let size = BigInt((data[0] as number) - marker);
  let unknown = data[0] === 2 * marker - 1;
  for (const byte of data.subarray(1)) {
    size = (size << 8n) | BigInt(byte);
    unknown &&= byte === 0xff;
  }
  return {
    id: head.readUIntBE(0, idLength),
    content: at + idLength + sizeLength,
    size: unknown ? undefined : Number(size),
  };
}

function unsigned(data: Buffer): number {
  return data.length > 0 && data.length <= 6 ? data.readUIntBE(0, data.length) : 1_000_000;
}

function float(data: Buffer): number | undefined {
  if (data.length === 4) return data.readFloatBE();
  return data.length === 8 ? data.readDoubleBE() : undefined;
}

function nanoseconds(duration: number | undefined, scale: number): bigint | undefined {
  const value = (duration ?? 0) * scale;
  return value > 0 && value < 1e18 ? BigInt(Math.round(value)) : undefined;
}

/** `RIFF` size `AVI ` `LIST` size `hdrl` `avih` size, then the header. */
async function inspectRiff(bytes: Bytes, start: Buffer): Promise<ContainerFacts | undefined> {
  if (start.toString('latin1', 8, 12) !== 'AVI ') return undefined;
  const size = start.readUInt32LE(4);
  const header = await bytes.at(24, 28);
  const isHeader = header.length === 28 && header.toString('latin1', 0, 4) === 'avih';
  const durationNs = isHeader
    ? BigInt(header.readUInt32LE(8)) * 1000n * BigInt(header.readUInt32LE(24))
    : 0n;
  return { cutOff: size + 8 > bytes.size, durationNs: durationNs > 0n ? durationNs : undefined };
}
