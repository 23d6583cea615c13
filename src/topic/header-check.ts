import { DepthlineError, reason } from '../core/errors.ts';
import type { FrameKind, Intrinsics, ModelIdentity } from '../core/frame.ts';
import { readable } from '../core/printable.ts';
import type { Encoding, MessageHeader, Unpacked } from './header.ts';

export const messageVersion = 1;
export const longestHeader = 65_536;
/** More than any header or data of ours; whoever prints a value goes as deep as it is nested. */
const deepest = 64;
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** A message that is not what its header or this format says. Reading on is safe. */
export class CorruptMessage extends DepthlineError {
  constructor(message: string) {
    super('SOURCE', readable(`not a Depthline message: ${message}`));
  }
}

export function text(data: Uint8Array): string {
  try {
    return textDecoder.decode(data);
  } catch {
    throw new CorruptMessage('a text in it is not UTF-8');
  }
}

export function parseHeader(data: Uint8Array): MessageHeader {
  if (data.length > longestHeader) throw new CorruptMessage(`a header of ${data.length} bytes`);
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

/** Level by level: to descend is what a deep value must not make anybody do. */
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
  readonly kind: FrameKind;
  readonly dtype: string;
  readonly bytes: number;
  readonly dims: number;
  /** Metres per unit, where it is depth. */
  readonly scale?: number;
}

const items: Readonly<Record<Encoding, Item>> = {
  '32FC1': { kind: 'depth', dtype: '<f4', bytes: 4, dims: 2, scale: 1 },
  '16UC1': { kind: 'depth', dtype: '<u2', bytes: 2, dims: 2, scale: 0.001 },
  rgb8: { kind: 'image', dtype: '|u1', bytes: 1, dims: 3 },
  rgba8: { kind: 'image', dtype: '|u1', bytes: 1, dims: 3 },
  '32FC3': { kind: 'points', dtype: '<f4', bytes: 4, dims: 2 },
  json: { kind: 'data', dtype: '|u1', bytes: 1, dims: 1 },
};

/** Believes nothing that the payload's own length does not bear out. */
export function checkMessage(topic: string, header: MessageHeader, payload: Uint8Array): Unpacked {
  if (typeof header !== 'object' || header === null) throw new CorruptMessage('no header');
  const { v, encoding, kind, dtype, shape, scale, seq, source } = header;
  if (v !== messageVersion) throw new CorruptMessage(`version ${shown(v)}, not ${messageVersion}`);
  const known = typeof encoding === 'string' && Object.hasOwn(items, encoding);
  if (!known) throw new CorruptMessage(`encoding ${shown(encoding)}`);
  const item = items[encoding];
  if (kind !== item.kind || dtype !== item.dtype) {
    throw new CorruptMessage(`${encoding} with kind ${shown(kind)} and dtype ${shown(dtype)}`);
  }
  if (kind === 'depth' && scale !== undefined && scale !== item.scale) {
    throw new CorruptMessage(`${encoding} with scale ${shown(scale)}, not ${item.scale}`);
  }
  const whole = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!whole || shape.length !== item.dims) throw new CorruptMessage(`shape ${shown(shape)}`);
  const size = shape.reduce((a, b) => a * b, item.bytes);
  if (size !== payload.length) {
    throw new CorruptMessage(`shape ${shown(shape)} needs ${size} bytes, not ${payload.length}`);
  }
  if (kind === 'image' && shape[2] !== (encoding === 'rgba8' ? 4 : 3)) {
    throw new CorruptMessage(`${encoding} with ${shape[2]} channels`);
  }
  if (kind === 'points' && shape[1] !== 3) throw new CorruptMessage('points are not XYZ');
  if (kind === 'depth' || kind === 'image') checkSize(header);
  if (!Number.isSafeInteger(seq)) throw new CorruptMessage(`seq ${shown(seq)}`);
  if (typeof source !== 'string') throw new CorruptMessage(`source ${shown(source)}`);
  return { topic, header, payload };
}

/** Without a row, the columns may be as many as a header likes; so a picture has pixels. */
function checkSize({ shape, width = shape[1], height = shape[0] }: MessageHeader): void {
  if (width !== shape[1] || height !== shape[0] || width === 0 || height === 0) {
    const size = `${shown(width)}×${shown(height)}`;
    throw new CorruptMessage(`a picture of ${size} with shape ${shown(shape)}`);
  }
}

export function nanoseconds(value: unknown, name: string): bigint {
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) {
    throw new CorruptMessage(`${name} is ${shown(value)}`);
  }
  return BigInt(value);
}

export function isRange(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((n) => typeof n === 'number');
}

export function isIntrinsics(value: unknown): value is Intrinsics {
  if (typeof value !== 'object' || value === null) return false;
  const { fx, fy, cx, cy } = value as Partial<Intrinsics>;
  return [fx, fy, cx, cy].every((n) => typeof n === 'number');
}

export function isModel(value: unknown): value is ModelIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { name, sha256 } = value as Partial<ModelIdentity>;
  return typeof name === 'string' && typeof sha256 === 'string';
}
