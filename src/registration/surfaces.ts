import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** Relative step between neighbours from which on they are two surfaces. */
const step = 1.1;

/** Share of the whole range of depth, by ratio, that the step takes; a slope is many small steps. */
const shareOfRange = 0.6;

/** `split` of a pixel whose 3 × 3 neighbours are all valid and of one surface. */
export const oneSurface = 0;

/**
 * For each pixel, the depth in metres between the surfaces that its 3 × 3 neighbours belong to, at the
 * widest gap between their depths; `oneSurface` where there is none, and infinity where all valid
 * neighbours are of one surface but some are invalid.
 */
export function findSurfaces({ width, height, data }: DepthMap, split: Float32Array): void {
  const sorted = new Float64Array(9);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - 1);
    const bottom = Math.min(height - 1, y + 1);
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 1);
      const right = Math.min(width - 1, x + 1);
      let count = 0;
      let low = Number.POSITIVE_INFINITY;
      let high = 0;
      let invalid = false;
      for (let v = top; v <= bottom; v++) {
        for (let u = left; u <= right; u++) {
          const metres = data[v * width + u] as number;
          if (!isValidDepth(metres)) {
            invalid = true;
            continue;
          }
          sorted[count++] = metres;
          if (metres < low) low = metres;
          if (metres > high) high = metres;
        }
      }
      const single = invalid ? Number.POSITIVE_INFINITY : oneSurface;
      split[y * width + x] = high <= low * step ? single : (widestGap(sorted, count) ?? single);
    }
  }
}

function widestGap(values: Float64Array, count: number): number | undefined {
  values.subarray(0, count).sort();
  let widest = step;
  let split: number | undefined;
  for (let i = 1; i < count; i++) {
    const before = values[i - 1] as number;
    const after = values[i] as number;
    if (after <= before * widest) continue;
    widest = after / before;
    split = Math.sqrt(before * after);
  }
  const range = (values[count - 1] as number) / (values[0] as number);
  return Math.log(widest) >= shareOfRange * Math.log(range) ? split : undefined;
}
