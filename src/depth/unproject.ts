import type { DepthMap, ImageFrame, Intrinsics, View } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { mirrored, viewOf } from './view.ts';

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
 * @param image source of the colours; of any size and view. Points outside it are black.
 */
export function unproject(
  depth: DepthMap & { readonly view?: View },
  { fx, fy, cx, cy }: Intrinsics,
  stride: number,
  image?: ImageFrame,
): Points {
  const { width, height, data: z } = depth;
  const count = countValid(depth, stride);
  const data = new Float32Array(count * 3);
  const colors = image && new Uint8Array(count * 3);
  const pixels = image && pixelsUnder(depth, image);
  let o = 0;
  for (let v = 0; v < height; v += stride) {
    const slopeY = (v - cy) / fy;
    for (let u = 0; u < width; u += stride) {
      const metres = z[v * width + u] as number;
      if (!isValidDepth(metres)) continue;
      data[o] = ((u - cx) / fx) * metres;
      data[o + 1] = slopeY * metres;
      data[o + 2] = metres;
      if (colors && pixels)
        paint(
          colors,
          o,
          image as ImageFrame,
          pixels.columns[u] as number,
          pixels.rows[v] as number,
        );
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

/** For each column and row of the depth, that of the picture which shows the same, or -1. */
function pixelsUnder(depth: DepthMap & { readonly view?: View }, image: ImageFrame) {
  const [from, to] = [viewOf(depth), viewOf(image)];
  const [flipped, flippedTo] = [mirrored(from), mirrored(to)];
  // Where one of them does not say what it shows, both show the same.
  const same = !depth.view || !image.view;
  const columns = indicesUnder(
    { start: from.left, span: from.width, length: depth.width, flipped: flipped.horizontal },
    { start: to.left, span: to.width, length: image.width, flipped: flippedTo.horizontal },
    same ? undefined : to.source.width / from.source.width,
  );
  const rows = indicesUnder(
    { start: from.top, span: from.height, length: depth.height, flipped: flipped.vertical },
    { start: to.top, span: to.height, length: image.height, flipped: flippedTo.vertical },
    same ? undefined : to.source.height / from.source.height,
  );
  return { columns, rows };
}

/** One side of a frame: `length` pixels that show `span` source pixels from `start`. */
interface Side {
  readonly start: number;
  readonly span: number;
  readonly length: number;
  readonly flipped: boolean;
}

/** @param scale source pixels of `to` per source pixel of `from`; undefined: both show the same */
function indicesUnder(from: Side, to: Side, scale: number | undefined): Int32Array {
  return Int32Array.from({ length: from.length }, (_, i) => {
    let share = (i + 0.5) / from.length;
    if (scale !== undefined) {
      const shown = from.flipped ? 1 - share : share;
      share = ((from.start + shown * from.span) * scale - to.start) / to.span;
      if (to.flipped) share = 1 - share;
    }
    const index = Math.floor(share * to.length);
    return index >= 0 && index < to.length ? index : -1;
  });
}

/** Writes the colour of a pixel. */
function paint(colors: Uint8Array, at: number, image: ImageFrame, x: number, y: number): void {
  if (x < 0 || y < 0) return;
  const { width, format, data } = image;
  const i = (y * width + x) * (format === 'rgba' ? 4 : 3);
  colors[at] = data[i] as number;
  colors[at + 1] = data[i + 1] as number;
  colors[at + 2] = data[i + 2] as number;
}
