import type { Intrinsics, MessageKind, ModelIdentity, View } from '../core/frame.ts';

export const depthEncodings = ['32FC1', '16UC1'] as const;
/** How depth is written into a message: float32 metres or uint16 millimetres. */
export type DepthEncoding = (typeof depthEncodings)[number];
/** Compressions of depth in whole millimetres, by encoding. */
export const packedEncodings = { '16UC1-deflate': 'deflate', '16UC1-zstd': 'zstd' } as const;
export type PackedEncoding = keyof typeof packedEncodings;
/** All that a publisher may choose for depth. */
export const topicEncodings = [
  ...depthEncodings,
  ...(Object.keys(packedEncodings) as PackedEncoding[]),
] as const;
export type TopicEncoding = DepthEncoding | PackedEncoding;
/** How a payload is written into a message. */
export type Encoding = TopicEncoding | 'rgb8' | 'rgba8' | '32FC3' | 'json';

export function isPacked(encoding: Encoding): encoding is PackedEncoding {
  return Object.hasOwn(packedEncodings, encoding);
}

/**
 * The header of a message. Times are decimal strings of nanoseconds: JavaScript cannot read JSON
 * numbers of that size exactly.
 */
export interface MessageHeader {
  readonly v: 1;
  readonly kind: MessageKind;
  readonly seq: number;
  readonly pts: string;
  readonly capturedAt: string;
  readonly publishedAt: string;
  readonly source: string;
  /** Name of the camera, of a run of several. */
  readonly camera?: string;
  /** File that the frame was read from, relative to its folder. */
  readonly name?: string;
  readonly width?: number;
  readonly height?: number;
  /** As NumPy writes it: `<f4`, `<u2`, `|u1`. */
  readonly dtype: string;
  /** As NumPy writes it: `[height, width]`. */
  readonly shape: readonly number[];
  /** ROS REP 118 names for depth. */
  readonly encoding: Encoding;
  /** `relative`: larger is farther, at an unknown scale. */
  readonly unit?: 'm' | 'mm' | 'relative';
  /** Metres per unit of the payload; absent if that is relative. */
  readonly scale?: number;
  /** Value of pixels without a measurement. */
  readonly invalid?: number;
  readonly range?: readonly [number, number];
  readonly intrinsics?: Intrinsics;
  readonly view?: View;
  readonly model?: ModelIdentity;
  /** Frames of the source that were dropped since the previous message. */
  readonly dropped: number;
}

/** A received message, split into its parts. */
export interface Unpacked {
  readonly topic: string;
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}
