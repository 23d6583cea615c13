import type { DepthMap, ImageFrame, Intrinsics } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

export interface Points {
  readonly count: number;
  /** `count × 3` float32 metres, XYZ interleaved. */
  readonly data: Float32Array;
  /** `count × 3` uint8 RGB. */
  readonly colors?: Uint8Array;
}

/**
 * Converts depth along the optical axis to points in camera coordinates (x right, y down, z forward):
 * x = (u − cx) · z / fx, y = (v − cy) · z / fy. Invalid pixels give no point.
 *
 * @param intrinsics in pixels of the depth map
 * @param stride uses every n-th column of every n-th row
 * @param image source of the colours; of any size, with the same view
 */
export function unproject(
  depth: DepthMap,
  { fx, fy, cx, cy }: Intrinsics,
  stride: number,
  image?: ImageFrame,
): Points {
  const { width, height, data: z } = depth;
  const count = countValid(depth, stride);
  const data = new Float32Array(count * 3);
  const colors = image && new Uint8Array(count * 3);
  let o = 0;
  for (let v = 0; v < height; v += stride) {
    const slopeY = (v - cy) / fy;
    for (let u = 0; u < width; u += stride) {
      const metres = z[v * width + u] as number;
      if (!isValidDepth(metres)) continue;
      data[o] = ((u - cx) / fx) * metres;
      data[o + 1] = slopeY * metres;
      data[o + 2] = metres;
      if (image && colors) paint(colors, o, image, (u + 0.5) / width, (v + 0.5) / height);
      o += 3;
    }
  }
  return { count, data, ...(colors && { colors }) };
}

function countValid({ width, height, data }: DepthMap, stride: number): number {
  let count = 0;
  for (let v = 0; v < height; v += stride) {
    for (let u = 0; u < width; u += stride) {
      const metres = data[v * width + u] as number;
      if (isValidDepth(metres)) count++;
    }
  }
  return count;
}

/** Writes the colour at a position given in shares of width and height. */
function paint(colors: Uint8Array, at: number, image: ImageFrame, u: number, v: number): void {
  const { width, height, format, data } = image;
  const pixel = Math.floor(v * height) * width + Math.floor(u * width);
  const i = pixel * (format === 'rgba' ? 4 : 3);
  colors[at] = data[i] as number;
  colors[at + 1] = data[i + 1] as number;
  colors[at + 2] = data[i + 2] as number;
}
