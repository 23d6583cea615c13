import type { DepthFrame, Frame, FrameBase, MessageFrame, View } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { messageFrame } from '../core/message-frame.ts';
import { fromMillimetres, toMillimetres } from '../depth/millimetres.ts';
import { relativeRefusal } from '../depth/relative.ts';
import { invalidAsZero } from '../depth/valid-pixels.ts';
import type { DepthEncoding, MessageHeader, Unpacked } from './header.ts';
import {
  CorruptMessage,
  checkMessage,
  longestHeader,
  messageVersion,
  parseHeader,
  parseJson,
  text,
} from './header-check.ts';
import { isIntrinsics, isName, isNanoseconds, isRange, isView } from './header-values.ts';

export const framings = ['multipart', 'single'] as const;
export type Framing = (typeof framings)[number];
export interface EncodeOptions {
  readonly encoding: DepthEncoding;
  readonly publishedAt: bigint;
  readonly dropped: number;
}

const alignment = 64;
const textEncoder = new TextEncoder();

/**
 * Header and payload of a frame, uncompressed (`encodeMessage` also compresses). The payload may be the
 * frame's own memory.
 *
 * @throws FrameRefused for relative depth in millimetres, and for times that readers refuse
 */
export function encodeFrame(
  given: Frame,
  options: EncodeOptions,
): { header: MessageHeader; payload: Uint8Array } {
  const frame = messageFrame(given);
  const { payload, ...layout } = encodePayload(frame, options.encoding);
  // An operator of the user's may have set them.
  for (const name of ['pts', 'capturedAt'] as const) {
    if (!isNanoseconds(String(frame[name])))
      throw new FrameRefused(`no reader accepts ${name} ${frame[name]} of frame ${frame.seq}`);
  }
  const header: MessageHeader = {
    v: messageVersion,
    kind: frame.kind,
    seq: frame.seq,
    pts: String(frame.pts),
    capturedAt: String(frame.capturedAt),
    publishedAt: String(options.publishedAt),
    source: frame.source,
    ...(isName(frame.camera) && { camera: frame.camera }),
    ...(isName(frame.name) && { name: frame.name }),
    ...layout,
    // An operator of the user's may have set what no header can say; it is left out.
    ...(frame.kind === 'depth' && isRange(frame.range) && { range: frame.range }),
    ...(isIntrinsics(frame.intrinsics) && { intrinsics: frame.intrinsics }),
    ...(isView(frame.view) && { view: frame.view }),
    ...(frame.kind === 'depth' && frame.model && { model: frame.model }),
    dropped: options.dropped,
  };
  return { header, payload };
}

type Layout = Pick<
  MessageHeader,
  'width' | 'height' | 'dtype' | 'shape' | 'encoding' | 'unit' | 'scale' | 'invalid'
> & { payload: Uint8Array };

function encodePayload(frame: MessageFrame, encoding: DepthEncoding): Layout {
  if (frame.kind === 'depth') return encodeDepth(frame, encoding);
  if (frame.kind === 'image') {
    const { width, height, format, data } = frame;
    const shape = [height, width, format === 'rgba' ? 4 : 3];
    const encoded = format === 'rgba' ? 'rgba8' : 'rgb8';
    return { width, height, dtype: '|u1', shape, encoding: encoded, payload: data };
  }
  if (frame.kind === 'points') {
    return {
      dtype: '<f4',
      shape: [frame.count, 3],
      encoding: '32FC3',
      unit: 'm',
      payload: bytes(frame.data),
    };
  }
  const payload = textEncoder.encode(JSON.stringify(frame.value) ?? 'null');
  return { dtype: '|u1', shape: [payload.length], encoding: 'json', payload };
}

function encodeDepth(frame: DepthFrame, encoding: DepthEncoding): Layout {
  const { width, height, data, unit = 'm' } = frame;
  const shape = [height, width];
  if (unit === 'relative' && encoding === '16UC1')
    throw new FrameRefused(relativeRefusal('16UC1 is in millimetres', 'use 32FC1'));
  return encoding === '32FC1'
    ? {
        width,
        height,
        dtype: '<f4',
        shape,
        encoding,
        unit,
        ...(unit === 'm' && { scale: 1 }),
        invalid: 0,
        payload: bytes(invalidAsZero(data)),
      }
    : {
        width,
        height,
        dtype: '<u2',
        shape,
        encoding,
        unit: 'mm',
        scale: 0.001,
        invalid: 0,
        payload: bytes(toMillimetres(data)),
      };
}

function bytes(data: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The parts of a message on the wire. */
export function packMessage(
  framing: Framing,
  topic: string,
  header: MessageHeader,
  payload: Uint8Array,
): Uint8Array[] {
  const headerBytes = textEncoder.encode(JSON.stringify(header));
  const topicBytes = textEncoder.encode(topic);
  if (framing === 'multipart') return [topicBytes, headerBytes, payload];
  const start = topicBytes.length + 1 + 4 + headerBytes.length;
  const payloadAt = Math.ceil(start / alignment) * alignment;
  const message = new Uint8Array(payloadAt + payload.length);
  message.set(topicBytes);
  new DataView(message.buffer).setUint32(topicBytes.length + 1, headerBytes.length, true);
  message.set(headerBytes, topicBytes.length + 5);
  message.set(payload, payloadAt);
  return [message];
}

/** Whether a message, in either framing, is of this topic. ZeroMQ itself matches prefixes. */
export function hasTopic(parts: readonly Uint8Array[], topic: string): boolean {
  const [first] = parts;
  const wanted = textEncoder.encode(topic);
  if (!first) return false;
  const end = parts.length === 1 ? first.indexOf(0) : first.length;
  // In one part without an end of the topic, it is corrupt whatever its topic.
  if (end < 0) return true;
  return end === wanted.length && wanted.every((byte, i) => byte === first[i]);
}

/**
 * Takes the parts of a message apart, in either framing.
 *
 * @throws CorruptMessage if lengths, header or payload do not fit together
 */
export function unpackMessage(parts: readonly Uint8Array[]): Unpacked {
  const [first, second, third] = parts;
  if (parts.length === 3 && first && second && third) {
    return checkMessage(text(first), parseHeader(second), third);
  }
  if (parts.length === 1 && first) return unpackSingle(first);
  throw new CorruptMessage(`${parts.length} parts instead of 1 or 3`);
}

function unpackSingle(message: Uint8Array): Unpacked {
  const topicEnd = message.indexOf(0);
  if (topicEnd < 0 || topicEnd + 5 > message.length) throw new CorruptMessage('it is truncated');
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const length = view.getUint32(topicEnd + 1, true);
  const headerAt = topicEnd + 5;
  if (length > longestHeader || headerAt + length > message.length) {
    throw new CorruptMessage(`a header of ${length} bytes does not fit`);
  }
  const payloadAt = Math.ceil((headerAt + length) / alignment) * alignment;
  const header = parseHeader(message.subarray(headerAt, headerAt + length));
  return checkMessage(text(message.subarray(0, topicEnd)), header, message.subarray(payloadAt));
}

/**
 * The frame in a message that was checked and is not compressed (`decodeMessage` takes any). The payload
 * is copied, so that the message can be freed.
 */
export function decodeFrame({ header, payload }: Unpacked): MessageFrame {
  const base = decodeBase(header);
  const [rows = 0, columns = 0] = header.shape;
  switch (header.encoding) {
    case '32FC1':
    case '16UC1': {
      const data = header.encoding === '32FC1' ? floats(payload) : fromMillimetres(shorts(payload));
      return {
        ...base,
        kind: 'depth',
        width: columns,
        height: rows,
        data,
        ...(header.unit === 'relative' && { unit: 'relative' as const }),
        ...(header.range && { range: header.range }),
        ...(header.model && { model: header.model }),
      };
    }
    case 'rgb8':
    case 'rgba8': {
      const format = header.encoding === 'rgba8' ? 'rgba' : 'rgb';
      return {
        ...base,
        kind: 'image',
        width: columns,
        height: rows,
        format,
        data: new Uint8Array(payload),
      };
    }
    case '32FC3':
      return { ...base, kind: 'points', count: rows, data: floats(payload) };
    case 'json':
      return { ...base, kind: 'data', value: parseJson(payload, 'payload') };
    default:
      throw new TypeError(`${header.encoding} is compressed; decodeMessage decodes it`);
  }
}

function decodeBase(header: MessageHeader): FrameBase {
  return {
    seq: header.seq,
    pts: BigInt(header.pts),
    capturedAt: BigInt(header.capturedAt),
    source: header.source,
    ...(header.camera && { camera: header.camera }),
    ...(header.name && { name: header.name }),
    ...(header.intrinsics && { intrinsics: header.intrinsics }),
    ...(header.view && { view: viewFrom(header.view) }),
  };
}

/** Only what a view has: a message may bring more. */
function viewFrom({ left, top, width, height, source, flip, shown }: View): View {
  return {
    left,
    top,
    width,
    height,
    source: { width: source.width, height: source.height },
    ...(flip && { flip }),
    ...(shown && { shown }),
  };
}

/**
 * Message memory need not be aligned as typed arrays must be, and may be a part of a Buffer, whose `slice`
 * is no copy.
 */
function floats(payload: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(payload).buffer);
}

function shorts(payload: Uint8Array): Uint16Array {
  return new Uint16Array(new Uint8Array(payload).buffer);
}
