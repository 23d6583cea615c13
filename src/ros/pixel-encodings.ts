import type { DepthMap, Picture } from '../core/frame.ts';
import { fromMillimetres } from '../depth/millimetres.ts';
import type { ImageMessage } from './messages.ts';

/** Writes one row of RGB from one row of the message. */
type RowReader = (from: Uint8Array, to: Uint8Array, width: number) => void;

interface PixelEncoding {
  /** Bytes of a row without padding. */
  bytes(width: number): number;
  readonly row: RowReader;
}

/** Interleaved 8-bit channels; `order` has the channels that become red, green and blue. */
function channels(count: number, order: readonly [number, number, number]): PixelEncoding {
  const [r, g, b] = order;
  return {
    bytes: (width) => width * count,
    row(from, to, width) {
      for (let i = 0, s = 0, t = 0; i < width; i++, s += count, t += 3) {
        to[t] = from[s + r] as number;
        to[t + 1] = from[s + g] as number;
        to[t + 2] = from[s + b] as number;
      }
    },
  };
}

/**
 * YUV 4:2:2 of BT.601 with video range, as cameras give it: two pixels in four bytes.
 *
 * @param order places of Y of the first pixel, U, Y of the second pixel, V
 */
function yuv422(order: readonly [number, number, number, number]): PixelEncoding {
  const [y0, u, y1, v] = order;
  return {
    bytes: (width) => 4 * Math.ceil(width / 2),
    row(from, to, width) {
      for (let i = 0, s = 0; i < width; i += 2, s += 4) {
        const [cb, cr] = [(from[s + u] as number) - 128, (from[s + v] as number) - 128];
        paint(to, i * 3, from[s + y0] as number, cb, cr);
        if (i + 1 < width) paint(to, i * 3 + 3, from[s + y1] as number, cb, cr);
      }
    },
  };
}

function paint(to: Uint8Array, at: number, y: number, cb: number, cr: number): void {
  const luma = 1.164383 * (y - 16);
  to[at] = clamped(luma + 1.596027 * cr);
  to[at + 1] = clamped(luma - 0.391762 * cb - 0.812968 * cr);
  to[at + 2] = clamped(luma + 2.017232 * cb);
}

function clamped(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}

const mono = channels(1, [0, 0, 0]);
const bgr = channels(3, [2, 1, 0]);
const uyvy = yuv422([1, 0, 3, 2]);
const yuyv = yuv422([0, 1, 2, 3]);

/** By `encoding` of `sensor_msgs/Image` and `foxglove.RawImage`. OpenCV types hold BGR, as there. */
const pictures: Readonly<Record<string, PixelEncoding>> = {
  rgb8: channels(3, [0, 1, 2]),
  bgr8: bgr,
  '8UC3': bgr,
  rgba8: channels(4, [0, 1, 2]),
  bgra8: channels(4, [2, 1, 0]),
  '8UC4': channels(4, [2, 1, 0]),
  mono8: mono,
  '8UC1': mono,
  yuv422: uyvy,
  uyvy,
  yuv422_yuy2: yuyv,
  yuyv,
};

/** Encodings of depth, with the bytes of a pixel. */
const depths: Readonly<Record<string, 2 | 4>> = { '16UC1': 2, mono16: 2, '32FC1': 4 };

export const pictureEncodings = Object.keys(pictures);
export const depthEncodings = Object.keys(depths);

/**
 * The pixels of a message as RGB, without padding.
 *
 * @throws Error with the reason if the encoding is unknown or the data too short
 */
export function pictureOf(message: ImageMessage): Picture {
  const { width, height, encoding, step, data } = message;
  if (encoding === 'rgba8' && step === width * 4) return whole(message, 'rgba', 4);
  if (encoding === 'rgb8' && step === width * 3) return whole(message, 'rgb', 3);
  const known = Object.hasOwn(pictures, encoding) ? pictures[encoding] : undefined;
  if (!known) throw new Error(unknownEncoding(encoding, pictureEncodings));
  requireRows(message, known.bytes(width));
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    known.row(data.subarray(y * step), out.subarray(y * width * 3), width);
  }
  return { width, height, format: 'rgb', data: out };
}

function whole(message: ImageMessage, format: 'rgb' | 'rgba', channels: number): Picture {
  const { width, height } = message;
  requireRows(message, width * channels);
  return { width, height, format, data: message.data.slice(0, width * height * channels) };
}

/**
 * Depth in metres, REP 118: 32FC1 is metres, 16UC1 (also called mono16) millimetres. NaN, infinity and
 * 0 become 0.
 *
 * @throws Error with the reason if the encoding is unknown or the data too short
 */
export function depthOf(message: ImageMessage): DepthMap {
  const { width, height, encoding } = message;
  const bytes = Object.hasOwn(depths, encoding) ? depths[encoding] : undefined;
  if (bytes === undefined) throw new Error(unknownEncoding(encoding, depthEncodings));
  requireRows(message, width * bytes);
  const values = packed(message, bytes);
  if (bytes === 2) return { width, height, data: fromMillimetres(new Uint16Array(values)) };
  const data = new Float32Array(values);
  for (let i = 0; i < data.length; i++) {
    const metres = data[i] as number;
    if (!(metres > 0 && metres < Number.POSITIVE_INFINITY)) data[i] = 0;
  }
  return { width, height, data };
}

/** The pixels without padding, little-endian, in memory of their own. */
function packed({ width, height, step, data, is_bigendian }: ImageMessage, bytes: 2 | 4) {
  const row = width * bytes;
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * step, y * step + row), y * row);
  if (is_bigendian) {
    if (bytes === 2) out.swap16();
    else out.swap32();
  }
  return new Uint8Array(out).buffer;
}

/** Nothing about the size is believed that the data does not confirm. */
function requireRows({ width, height, step, data }: ImageMessage, row: number): void {
  if (![width, height].every((length) => Number.isInteger(length) && length > 0))
    throw new Error(`an image of ${width} × ${height} pixels`);
  if (step < row || data.length < (height - 1) * step + row) {
    throw new Error(
      `an image of ${width} × ${height} pixels with ${data.length} bytes in rows of ${step}`,
    );
  }
}

export function unknownEncoding(encoding: string, known: readonly string[]): string {
  return `pixel encoding ${JSON.stringify(encoding.slice(0, 40))} is not supported; supported: ${known.join(', ')}`;
}
