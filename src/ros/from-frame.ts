import type { DepthFrame, DepthMap, ImageFrame, Intrinsics, PointsFrame } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import type { Size } from '../core/size.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { toMillimetres } from '../depth/millimetres.ts';
import { relativeRefusal } from '../depth/relative.ts';
import type {
  CameraInfoMessage,
  Header,
  ImageMessage,
  PointCloud2Message,
  PointField,
} from './messages.ts';

export const rosDepthEncodings = ['32FC1', '16UC1'] as const;
/** REP 118: float32 metres, NaN where unknown; or uint16 millimetres, 0 where unknown. */
export type RosDepthEncoding = (typeof rosDepthEncodings)[number];

/** The picture itself, as `rgb8` or `rgba8`. The message shares its memory. */
export function imageMessage(
  { width, height, format, data }: Pick<ImageFrame, 'width' | 'height' | 'format' | 'data'>,
  header: Header,
): ImageMessage {
  const channels = format === 'rgba' ? 4 : 3;
  const encoding = format === 'rgba' ? 'rgba8' : 'rgb8';
  return { header, height, width, encoding, is_bigendian: 0, step: width * channels, data };
}

/**
 * Depth as REP 118 says.
 *
 * @throws FrameRefused for relative depth in millimetres
 */
export function depthMessage(
  { width, height, data, unit }: DepthMap & Pick<DepthFrame, 'unit'>,
  header: Header,
  encoding: RosDepthEncoding,
): ImageMessage {
  if (unit === 'relative' && encoding === '16UC1')
    throw new FrameRefused(relativeRefusal('16UC1 is in millimetres', 'use 32FC1'));
  const values = encoding === '32FC1' ? invalidAsNaN(data) : toMillimetres(data);
  return {
    header,
    height,
    width,
    encoding,
    is_bigendian: 0,
    step: width * values.BYTES_PER_ELEMENT,
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** A copy in which every invalid pixel is NaN, or `data` itself if all are valid. */
function invalidAsNaN(data: Float32Array): Float32Array {
  let out = data;
  for (let i = 0; i < data.length; i++) {
    if (isValidDepth(data[i] as number)) continue;
    if (out === data) out = data.slice();
    out[i] = Number.NaN;
  }
  return out;
}

/**
 * The calibration of a picture without distortion. Both have pixel centres at whole numbers.
 *
 * @param intrinsics in pixels of a picture of this size
 */
export function cameraInfoMessage(
  { width, height }: Size,
  { fx, fy, cx, cy }: Intrinsics,
  header: Header,
): CameraInfoMessage {
  return {
    header,
    height,
    width,
    distortion_model: 'plumb_bob',
    d: [0, 0, 0, 0, 0],
    k: [fx, 0, cx, 0, fy, cy, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0],
    binning_x: 0,
    binning_y: 0,
    roi: { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false },
  };
}

/** FLOAT32 of `sensor_msgs/PointField`. */
export const float32Field = 7;

const xyz: readonly PointField[] = ['x', 'y', 'z'].map((name, i) => ({
  name,
  offset: 4 * i,
  datatype: float32Field,
  count: 1,
}));
/** As PCL has it: blue, green, red and an unused byte, declared as one float. */
const rgb: PointField = { name: 'rgb', offset: 12, datatype: float32Field, count: 1 };

/** Points in the axes of the camera (x right, y down, z forward), with `rgb` if they have colours. */
export function pointCloudMessage(
  { count, data, colors }: Pick<PointsFrame, 'count' | 'data' | 'colors'>,
  header: Header,
): PointCloud2Message {
  const step = colors ? 16 : 12;
  return {
    header,
    height: 1,
    width: count,
    fields: colors ? [...xyz, rgb] : xyz,
    is_bigendian: false,
    point_step: step,
    row_step: count * step,
    data: colors
      ? interleaved(count, data, colors)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    is_dense: true,
  };
}

function interleaved(count: number, data: Float32Array, colors: Uint8Array): Uint8Array {
  const out = new Uint8Array(count * 16);
  const floats = new Float32Array(out.buffer);
  for (let i = 0; i < count; i++) {
    floats[i * 4] = data[i * 3] as number;
    floats[i * 4 + 1] = data[i * 3 + 1] as number;
    floats[i * 4 + 2] = data[i * 3 + 2] as number;
    out[i * 16 + 12] = colors[i * 3 + 2] as number;
    out[i * 16 + 13] = colors[i * 3 + 1] as number;
    out[i * 16 + 14] = colors[i * 3] as number;
  }
  return out;
}
