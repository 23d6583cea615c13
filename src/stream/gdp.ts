import type { VideoCaps } from '../core/capture-stream.ts';

/**
 * GStreamer Data Protocol 1.0, the framing of `gdppay`: a 62-byte big-endian header in front of
 * each buffer, caps and event. It is how PTS and duration reach JavaScript.
 */

export const gdpHeaderLength = 62;

/** The types of packets that matter; all others are events. */
export const gdpType = { buffer: 1, caps: 2 } as const;

/** GST_CLOCK_TIME_NONE. */
const none = 0xffff_ffff_ffff_ffffn;

export interface GdpHeader {
  readonly type: number;
  /** Bytes of payload behind the header. */
  readonly length: number;
  /** Nanoseconds; undefined if the buffer has none. */
  readonly pts: bigint | undefined;
  /** Nanoseconds; undefined if the buffer has none. */
  readonly duration: bigint | undefined;
}

/** The data is not a GDP packet of a capture process. */
export class GdpError extends Error {
  override readonly name = 'GdpError';
}

/** Larger packets are treated as damage: an 8K RGB picture is 100 MB. */
const maxLength = 512 * 1024 * 1024;

/**
 * Reads and checks one header.
 *
 * @param bytes at least 62 bytes from `offset`
 * @throws GdpError on a wrong version, checksum or length
 */
export function parseGdpHeader(bytes: Uint8Array, offset = 0): GdpHeader {
  if (bytes.length - offset < gdpHeaderLength) {
    throw new GdpError(`${bytes.length - offset} bytes are too few for a GDP header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, gdpHeaderLength);
  const major = view.getUint8(0);
  if (major !== 1) throw new GdpError(`GDP version ${major} instead of 1`);
  const flags = view.getUint8(2);
  if (flags & 1 && view.getUint16(58) !== crc16(bytes, offset, offset + 58)) {
    throw new GdpError('the checksum of a GDP header is wrong');
  }
  const length = view.getUint32(6);
  if (length > maxLength) throw new GdpError(`a GDP packet of ${length} bytes`);
  return {
    type: view.getUint16(4),
    length,
    pts: time(view.getBigUint64(10)),
    duration: time(view.getBigUint64(18)),
  };
}

function time(value: bigint): bigint | undefined {
  return value === none ? undefined : value;
}

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** CRC-CCITT as in GStreamer's dataprotocol.c (start 0xffff, result inverted). */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff;
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (crcTable[((crc >> 8) ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~crc & 0xffff;
}

/**
 * Reads a caps string such as
 * `video/x-raw, format=(string)RGB, width=(int)640, height=(int)480, framerate=(fraction)30/1`.
 *
 * @throws GdpError if it is not raw video of a known size
 */
export function parseVideoCaps(text: string): VideoCaps {
  const width = Number(capsField(text, 'width'));
  const height = Number(capsField(text, 'height'));
  const format = capsField(text, 'format');
  if (!text.startsWith('video/x-raw') || !format || !(width > 0) || !(height > 0)) {
    throw new GdpError(`caps that are not raw video: ${text.slice(0, 200)}`);
  }
  return { format, width, height, interval: capsInterval(text) };
}

/** The value of a field of a caps string, without its type and quotes. */
export function capsField(text: string, name: string): string | undefined {
  const value = new RegExp(
    `[,;]\\s*${name}=(?:\\([a-z]+\\))?\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^,;"]+))`,
  ).exec(text);
  return value?.[1] === undefined ? value?.[2]?.trim() : value[1].replace(/\\(.)/g, '$1').trim();
}

/** Nanoseconds between frames by the rate in a caps string; undefined if it is variable or missing. */
export function capsInterval(text: string): bigint | undefined {
  const rate = capsField(text, 'framerate') ?? '0/1';
  const [numerator, denominator] = rate.split('/').map(Number);
  if (!numerator || !denominator) return undefined;
  return BigInt(Math.round((1e9 * denominator) / numerator));
}

/** Bytes from one row of an RGB picture to the next: GStreamer pads them to a multiple of 4. */
export function rgbStride(width: number): number {
  return (width * 3 + 3) & ~3;
}
