import type { DepthMap } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/**
 * Depth at another size: bilinear where all four neighbours are valid, else the nearest one, so that
 * invalid pixels neither spread nor mix.
 */
export function resampleDepth(map: DepthMap, { width, height }: Size): DepthMap {
  if (map.width === width && map.height === height) return map;
  const data = new Float32Array(width * height);
  const columns = positions(map.width, width);
  const rows = positions(map.height, height);
  for (let y = 0, o = 0; y < height; y++) {
    const top = (rows.first[y] as number) * map.width;
    const bottom = (rows.second[y] as number) * map.width;
    const v = rows.share[y] as number;
    for (let x = 0; x < width; x++, o++) {
      const left = columns.first[x] as number;
      const right = columns.second[x] as number;
      const u = columns.share[x] as number;
      const a = map.data[top + left] as number;
      const b = map.data[top + right] as number;
      const c = map.data[bottom + left] as number;
      const d = map.data[bottom + right] as number;
      data[o] =
        isValidDepth(a) && isValidDepth(b) && isValidDepth(c) && isValidDepth(d)
          ? (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
          : v < 0.5
            ? u < 0.5
              ? a
              : b
            : u < 0.5
              ? c
              : d;
    }
  }
  return { width, height, data };
}

/** For each pixel of a side: its two neighbours there, and how near the second one is, 0 to 1. */
function positions(from: number, to: number) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    first[i] = Math.floor(at);
    second[i] = Math.min(from - 1, (first[i] as number) + 1);
    share[i] = at - (first[i] as number);
  }
  return { first, second, share };
}
