import type { Rectangle, Size } from '../../core/size.ts';
import { isValidDisparity } from '../../depth/disparity.ts';

/**
 * Errors of disparity in one picture. `bad1` to `bad3` are shares of all pixels with a truth: one without a
 * disparity counts as bad, so that a method cannot gain by leaving out what is difficult.
 */
export interface DisparityErrors {
  /** Pixels with a truth. */
  readonly pixels: number;
  /** Share of them that has a disparity, 0 to 1. */
  readonly filled: number;
  /** Mean |error| of those that have one, pixels. */
  readonly endPoint: number;
  readonly bad1: number;
  readonly bad2: number;
  readonly bad3: number;
}

/** Nothing if no pixel of `part` has a truth. */
export function disparityErrors(
  found: Float32Array,
  truth: Float32Array,
  { width }: Size,
  part: Rectangle,
): DisparityErrors | undefined {
  let pixels = 0;
  let filled = 0;
  let sum = 0;
  const good = [0, 0, 0];
  for (let y = part.top; y < part.top + part.height; y++) {
    for (let x = part.left; x < part.left + part.width; x++) {
      const t = truth[y * width + x] as number;
      if (!isValidDisparity(t)) continue;
      pixels++;
      const d = found[y * width + x] as number;
      if (!isValidDisparity(d)) continue;
      filled++;
      const error = Math.abs(d - t);
      sum += error;
      for (let n = 0; n < 3; n++) if (error <= n + 1) good[n] = (good[n] as number) + 1;
    }
  }
  if (pixels === 0) return undefined;
  const [bad1, bad2, bad3] = good.map((count) => 1 - count / pixels) as [number, number, number];
  return { pixels, filled: filled / pixels, endPoint: sum / filled, bad1, bad2, bad3 };
}

/**
 * Fills holes along each row with the smaller of the disparities beside them, the one of the background, as
 * KITTI's evaluation does for methods that are not dense.
 */
export function fillFromBackground(values: Float32Array, { width, height }: Size): Float32Array {
  const out = values.slice();
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let before = 0;
    for (let x = 0; x < width; ) {
      if (isValidDisparity(out[row + x] as number)) {
        before = out[row + x] as number;
        x++;
        continue;
      }
      let end = x;
      while (end < width && !isValidDisparity(values[row + end] as number)) end++;
      const after = end < width ? (values[row + end] as number) : 0;
      const fill = before > 0 && after > 0 ? Math.min(before, after) : before || after;
      out.fill(fill, row + x, row + end);
      x = end;
    }
  }
  return out;
}
