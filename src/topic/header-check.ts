import { DepthlineError, reason } from '../core/errors.ts';
import type { MessageKind } from '../core/frame.ts';
import { readable } from '../core/printable.ts';
import { type Encoding, isPacked, type MessageHeader, type Unpacked } from './header.ts';
import {
  isCount,
  isIntrinsics,
  isModel,
  isName,
  isNanoseconds,
  isRange,
  isView,
} from './header-values.ts';

export const messageVersion = 1;
/** Bytes. */
export const longestHeader = 65_536;
/** Pixels of packed depth: its payload says nothing of the memory that it needs unpacked. */
export const mostPackedPixels = 2 ** 25;
/** No stream of deflate unpacks to more bytes per byte. */
const mostDeflated = 1032;
/** Deeper than any header or data of ours: printing a value recurses as deep as it is nested. */
const deepest = 64;
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** A message that does not match this format or its own header. It is safe to read on. */
export class CorruptMessage extends DepthlineError {
  constructor(message: string) {
    super('SOURCE', readable(`not a Depthline message: ${message}`));
  }
}

export function text(data: Uint8Array): string {
  try {
    return textDecoder.decode(data);
  } catch {
    throw new CorruptMessage('it contains invalid UTF-8');
  }
}

export function parseHeader(data: Uint8Array): MessageHeader {
  if (data.length > longestHeader)
    throw new CorruptMessage(`its header has ${data.length} bytes, more than ${longestHeader}`);
  return parseJson(data, 'header') as MessageHeader;
}

export function parseJson(data: Uint8Array, what: 'header' | 'payload'): unknown {
  const json = text(data);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new CorruptMessage(`its ${what} is not JSON: ${reason(error)}`);
  }
  if (isDeep(value)) throw new CorruptMessage(`its ${what} is nested too deeply`);
  return value;
}

/** Goes level by level: recursion would overflow the stack on a deep value. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= deepest; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}

/** A value for a message. `String` throws where a header brings its own `toString`. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : String(JSON.stringify(value));
}

interface Item {
  readonly kind: MessageKind;
  readonly dtype: string;
  readonly bytes: number;
  readonly dims: number;
  readonly unit?: string;
  /** Metres per unit, for depth. */
  readonly scale?: number;
  /** Value of pixels without a measurement, for depth. */
  readonly invalid?: number;
}

const millimetres: Item = {
  kind: 'depth',
  dtype: '<u2',
  bytes: 2,
  dims: 2,
  unit: 'mm',
  scale: 0.001,
  invalid: 0,
};

const items: Readonly<Record<Encoding, Item>> = {
  '32FC1': { kind: 'depth', dtype: '<f4', bytes: 4, dims: 2, unit: 'm', scale: 1, invalid: 0 },
  '16UC1': millimetres,
  '16UC1-deflate': millimetres,
  '16UC1-zstd': millimetres,
  rgb8: { kind: 'image', dtype: '|u1', bytes: 1, dims: 3 },
  rgba8: { kind: 'image', dtype: '|u1', bytes: 1, dims: 3 },
  '32FC3': { kind: 'points', dtype: '<f4', bytes: 4, dims: 2, unit: 'm' },
  json: { kind: 'data', dtype: '|u1', bytes: 1, dims: 1 },
};

/** Depth without a unit: a scale would make metres of it. */
const relative: Item = {
  kind: 'depth',
  dtype: '<f4',
  bytes: 4,
  dims: 2,
  unit: 'relative',
  invalid: 0,
};

/** Keys that every message has. */
const required = {
  seq: isCount,
  pts: isNanoseconds,
  capturedAt: isNanoseconds,
  source: (value: unknown) => typeof value === 'string',
} as const;

/** Keys that a message may lack. */
const optional = {
  camera: isName,
  name: isName,
  publishedAt: isNanoseconds,
  dropped: isCount,
  range: isRange,
  intrinsics: isIntrinsics,
  view: isView,
  model: isModel,
} as const;

/** Trusts nothing that the length of the payload does not confirm, and no number out of range. */
export function checkMessage(topic: string, header: MessageHeader, payload: Uint8Array): Unpacked {
  if (typeof header !== 'object' || header === null) throw new CorruptMessage('no header');
  const { v, encoding } = header;
  if (v !== messageVersion) throw new CorruptMessage(`version ${shown(v)}, not ${messageVersion}`);
  const known = typeof encoding === 'string' && Object.hasOwn(items, encoding);
  if (!known) throw new CorruptMessage(`encoding ${shown(encoding)}`);
  checkEncoding(header, items[encoding]);
  checkShape(header, items[encoding], payload);
  for (const [name, valid] of Object.entries(required)) {
    const value = header[name as keyof typeof required];
    if (!valid(value)) throw new CorruptMessage(`${name} ${shown(value)}`);
  }
  // Other programs may leave these out, or write null.
  const given: Partial<MessageHeader> = { ...header };
  for (const [name, valid] of Object.entries(optional)) {
    const key = name as keyof typeof optional;
    const value = header[key] ?? undefined;
    if (value === undefined) delete given[key];
    else if (!valid(value)) throw new CorruptMessage(`${name} ${shown(value)}`);
  }
  const { publishedAt = header.capturedAt, dropped = 0 } = given;
  return { topic, header: { ...(given as MessageHeader), publishedAt, dropped }, payload };
}

function checkEncoding(header: MessageHeader, item: Item): void {
  if (header.encoding === '32FC1' && header.unit === 'relative') checkEncodingOf(header, relative);
  else checkEncodingOf(header, item);
}

function checkEncodingOf(header: MessageHeader, item: Item): void {
  const { encoding, kind, dtype } = header;
  if (kind !== item.kind || dtype !== item.dtype) {
    throw new CorruptMessage(`${encoding} with kind ${shown(kind)} and dtype ${shown(dtype)}`);
  }
  for (const name of ['unit', 'scale', 'invalid'] as const) {
    const value = header[name];
    if (item[name] === undefined || value === undefined || value === item[name]) continue;
    throw new CorruptMessage(`${encoding} with ${name} ${shown(value)}, not ${item[name]}`);
  }
  if (item === relative && header.scale !== undefined)
    throw new CorruptMessage(`relative depth with scale ${shown(header.scale)}`);
}

function checkShape(header: MessageHeader, item: Item, payload: Uint8Array): void {
  const { encoding, kind, shape } = header;
  if (!Array.isArray(shape) || !shape.every(isCount) || shape.length !== item.dims) {
    throw new CorruptMessage(`shape ${shown(shape)}`);
  }
  const size = shape.reduce((a, b) => a * b, item.bytes);
  if (isPacked(encoding)) checkPacked(header, size, payload);
  else if (size !== payload.length) {
    throw new CorruptMessage(`shape ${shown(shape)} needs ${size} bytes, not ${payload.length}`);
  }
  if (kind === 'image' && shape[2] !== (encoding === 'rgba8' ? 4 : 3)) {
    throw new CorruptMessage(`${encoding} with ${shape[2]} channels`);
  }
  if (kind === 'points' && shape[1] !== 3) throw new CorruptMessage('points are not XYZ');
  if (kind === 'depth' || kind === 'image') checkSize(header);
}

/** Before anything is unpacked: the size that the header states is the most that is ever allocated. */
function checkPacked({ encoding, shape }: MessageHeader, size: number, payload: Uint8Array): void {
  if (size > 2 * mostPackedPixels)
    throw new CorruptMessage(
      `${encoding} of more than ${mostPackedPixels} pixels: ${shown(shape)}`,
    );
  const most = encoding === '16UC1-deflate' ? payload.length * mostDeflated : Infinity;
  if (payload.length === 0 || size > most)
    throw new CorruptMessage(`${payload.length} bytes cannot unpack to shape ${shown(shape)}`);
}

/** With no rows, a header could claim any number of columns; so a picture has pixels. */
function checkSize({ shape, width = shape[1], height = shape[0] }: MessageHeader): void {
  if (width !== shape[1] || height !== shape[0] || width === 0 || height === 0) {
    const size = `${shown(width)}×${shown(height)}`;
    throw new CorruptMessage(`a picture of ${size} with shape ${shown(shape)}`);
  }
}
