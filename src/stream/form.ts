import type { VideoCaps } from '../core/capture-stream.ts';
import { GdpError, parseVideoCaps, rgbStride } from './gdp.ts';

/** How the bytes of a frame lie in the stream of a capture process. */
export interface Rows {
  /** Bytes of a row that are kept. */
  readonly bytes: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
  readonly count: number;
}

/** What the frames of a stream are. */
export interface StreamForm {
  /** In messages: what a frame is called. */
  readonly what: string;
  /**
   * Reads caps as GStreamer writes them.
   *
   * @throws GdpError if they are damaged; RefusedCaps if frames of this kind cannot be used
   */
  parse(caps: string): VideoCaps;
  rows(caps: VideoCaps): Rows;
}

/** The stream is sound, but its frames cannot be used, however often it is started again. */
export class RefusedCaps extends GdpError {}

/** Packed RGB pictures, as the launch line of every source of pictures ends in. */
export const rgbForm: StreamForm = {
  what: 'picture',
  parse(text) {
    const caps = parseVideoCaps(text);
    if (caps.format !== 'RGB') throw new GdpError(`pictures in ${caps.format} instead of RGB`);
    return caps;
  },
  rows: ({ width, height }) => ({ bytes: width * 3, stride: rgbStride(width), count: height }),
};

/** Copies rows to where there is no padding between them. */
export function packRows(
  padded: Uint8Array,
  { bytes, stride, count }: Rows,
  packed: Uint8Array,
): void {
  for (let y = 0; y < count; y++) {
    packed.set(padded.subarray(y * stride, y * stride + bytes), y * bytes);
  }
}
