import type { Frame, MessageFrame } from '../core/frame.ts';
import {
  isPacked,
  type MessageHeader,
  packedEncodings,
  type TopicEncoding,
  type Unpacked,
} from './header.ts';
import { decodeFrame, type EncodeOptions, encodeFrame } from './message.ts';
import { packDepth, unpackDepth } from './packed-depth.ts';

/**
 * Header and payload of a frame in any encoding. Only depth is compressed; other kinds are as they are.
 *
 * @throws FrameRefused for relative depth in millimetres, and for times that readers refuse
 */
export async function encodeMessage(
  frame: Frame,
  { encoding, ...options }: Omit<EncodeOptions, 'encoding'> & { readonly encoding: TopicEncoding },
): Promise<{ header: MessageHeader; payload: Uint8Array }> {
  if (!isPacked(encoding)) return encodeFrame(frame, { ...options, encoding });
  const { header, payload } = encodeFrame(frame, { ...options, encoding: '16UC1' });
  if (frame.kind !== 'depth') return { header, payload };
  const packed = await packDepth(shorts(payload), frame, packedEncodings[encoding]);
  return { header: { ...header, encoding }, payload: packed };
}

/**
 * The frame in a message that was checked.
 *
 * @throws CorruptMessage if compressed depth is not what its header says
 */
export async function decodeMessage(message: Unpacked): Promise<MessageFrame> {
  const { header, payload } = message;
  if (!isPacked(header.encoding)) return decodeFrame(message);
  const [height = 0, width = 0] = header.shape;
  const values = await unpackDepth(payload, { width, height }, packedEncodings[header.encoding]);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return decodeFrame({ ...message, header: { ...header, encoding: '16UC1' }, payload: bytes });
}

function shorts({ buffer, byteOffset, byteLength }: Uint8Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}
