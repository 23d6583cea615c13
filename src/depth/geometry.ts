import type { DepthMap } from '../core/frame.ts';
import type { Rectangle, Size } from '../core/size.ts';

/** Crops a row-major picture with `channels` values per pixel. */
export function cropPixels<T extends Uint8Array | Float32Array>(
  data: T,
  width: number,
  channels: number,
  part: Rectangle,
): T {
  const row = part.width * channels;
  const out = new (data.constructor as new (n: number) => T)(part.height * row);
  for (let y = 0; y < part.height; y++) {
    const start = ((part.top + y) * width + part.left) * channels;
    out.set(data.subarray(start, start + row) as never, y * row);
  }
  return out;
}

/** Nearest-neighbour scaling; never mixes the depths of two surfaces. */
export function scaleNearest(map: DepthMap, to: Size): DepthMap {
  if (map.width === to.width && map.height === to.height) return map;
  const { width, height } = to;
  return { width, height, data: scalePixelsNearest(map.data, map, 1, to) };
}

/** Nearest-neighbour scaling of a row-major picture with `channels` values per pixel. */
export function scalePixelsNearest<T extends Uint8Array | Float32Array>(
  data: T,
  from: Size,
  channels: number,
  to: Size,
): T {
  const out = new (data.constructor as new (n: number) => T)(to.width * to.height * channels);
  const columns = nearestIndices(from.width, to.width);
  let o = 0;
  for (const row of nearestIndices(from.height, to.height)) {
    for (const column of columns) {
      const i = (row * from.width + column) * channels;
      for (let c = 0; c < channels; c++) out[o++] = data[i + c] as number;
    }
  }
  return out;
}

/**
 * The pixel under the centre of each new one. Where a centre lies between two pixels, the rounding
 * of the sum decides: it is formed as in Pillow, so that the tools in Python take the same one.
 */
function nearestIndices(from: number, to: number): Uint32Array {
  const step = from / to;
  let at = step * 0.5;
  return Uint32Array.from({ length: to }, () => {
    const index = Math.min(from - 1, Math.floor(at));
    at += step;
    return index;
  });
}

/** The same part of a picture of another size: at least one pixel, and within the picture. */
export function scaleRectangle(part: Rectangle, from: Size, to: Size): Rectangle {
  const [left, right] = scaleSpan(part.left, part.width, to.width / from.width, to.width);
  const [top, bottom] = scaleSpan(part.top, part.height, to.height / from.height, to.height);
  return { left, top, width: right - left, height: bottom - top };
}

function scaleSpan(start: number, length: number, scale: number, limit: number): [number, number] {
  const first = Math.min(limit - 1, Math.round(start * scale));
  return [first, Math.min(limit, Math.max(first + 1, Math.round((start + length) * scale)))];
}
