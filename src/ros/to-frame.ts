import type { DepthMap, Intrinsics, Picture, PointsFrame } from '../core/frame.ts';
import { decodeDepthBytes, decodeRgbBytes } from '../imaging/decode-bytes.ts';
import type { CameraInfoMessage, CompressedImageMessage, PointCloud2Message } from './messages.ts';

/** Intrinsics of a calibrated camera; nothing if it says that it is not calibrated (fx is 0). */
export function intrinsicsOf({ k }: CameraInfoMessage): Intrinsics | undefined {
  const [fx, , cx, , fy, cy] = Array.from(k);
  const values = [fx, fy, cx, cy];
  if (!values.every((value) => Number.isFinite(value))) return undefined;
  if (!((fx as number) > 0 && (fy as number) > 0)) return undefined;
  return { fx: fx as number, fy: fy as number, cx: cx as number, cy: cy as number };
}

/** Whether lenses bend the picture: `d` is then not zero. */
export function isDistorted({ d }: CameraInfoMessage): boolean {
  return Array.from(d).some((value) => value !== 0);
}

/**
 * The picture of a JPEG, PNG or WebP.
 *
 * @throws Error with the reason
 */
export async function compressedPictureOf({ data }: CompressedImageMessage): Promise<Picture> {
  const { width, height, data: rgb } = await decodeRgbBytes(data);
  return { width, height, format: 'rgb', data: rgb };
}

/** Bytes that `compressed_depth_image_transport` puts in front of its PNG. */
const depthHeaderBytes = 12;
const pngMagic = Buffer.from('89504e470d0a1a0a', 'hex');

/** Whether the format is one of depth: `16UC1; compressedDepth png`. */
export function isCompressedDepth({ format }: CompressedImageMessage): boolean {
  return /compressedDepth/.test(format) || /^(16UC1|32FC1);/.test(format);
}

/**
 * Depth of a 16-bit PNG in millimetres, as `compressed_depth_image_transport` writes it or as it is.
 *
 * @throws Error with the reason; 32FC1 is not supported: its PNG holds quantized inverse depth
 */
export async function compressedDepthOf(message: CompressedImageMessage): Promise<DepthMap> {
  const { data, format } = message;
  const png = [0, depthHeaderBytes].find((at) =>
    pngMagic.equals(data.subarray(at, at + pngMagic.length)),
  );
  if (png === undefined || /^32FC1/.test(format)) {
    throw new Error(
      `compressed depth of format "${format}" is not supported; supported: 16UC1 as png`,
    );
  }
  return decodeDepthBytes(data.subarray(png));
}

const fieldBytes: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 8: 8 },
};
const [float32, float64] = [7, 8];

/**
 * Points with finite x, y and z, and their colours if there is a field `rgb` or `rgba`.
 *
 * @throws Error with the reason if x, y or z is missing, or the data too short
 */
export function pointsOf(
  message: PointCloud2Message,
): Pick<PointsFrame, 'count' | 'data' | 'colors'> {
  const { width, height, point_step: step, row_step, is_bigendian, data } = message;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (width > 0 && height > 0 && data.length < (height - 1) * row_step + width * step) {
    throw new Error(`a cloud of ${width} × ${height} points with ${data.length} bytes`);
  }
  const readers = ['x', 'y', 'z'].map((name) => coordinate(message, view, name));
  const [x, y, z] = readers as [Reader, Reader, Reader];
  const color = message.fields.find(
    ({ name, offset, datatype }) =>
      /^rgba?$/.test(name) && fieldBytes[datatype] === 4 && offset + 4 <= step,
  );
  const points = new Float32Array(width * height * 3);
  const colors = color && new Uint8Array(width * height * 3);
  let count = 0;
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const at = v * row_step + u * step;
      const [px, py, pz] = [x(at), y(at), z(at)];
      if (!Number.isFinite(px + py + pz)) continue;
      points.set([px, py, pz], count * 3);
      if (color && colors) {
        const bits = view.getUint32(at + color.offset, !is_bigendian);
        colors.set([(bits >> 16) & 255, (bits >> 8) & 255, bits & 255], count * 3);
      }
      count++;
    }
  }
  return {
    count,
    data: points.slice(0, count * 3),
    ...(colors && { colors: colors.slice(0, count * 3) }),
  };
}

type Reader = (at: number) => number;

function coordinate(
  { fields, is_bigendian, point_step }: PointCloud2Message,
  view: DataView,
  name: string,
): Reader {
  const field = fields.find((one) => one.name === name);
  const bytes = field && fieldBytes[field.datatype];
  if (!field || (field.datatype !== float32 && field.datatype !== float64))
    throw new Error(`a cloud without a field "${name}" of float32 or float64`);
  if (field.offset + (bytes as number) > point_step)
    throw new Error(`a cloud whose field "${name}" lies outside its points`);
  return field.datatype === float32
    ? (at) => view.getFloat32(at + field.offset, !is_bigendian)
    : (at) => view.getFloat64(at + field.offset, !is_bigendian);
}
