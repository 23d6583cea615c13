import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/**
 * Depth without the pixels at its jumps. Where the depth changes steeply from pixel to pixel, a network
 * (or a sensor) has mixed two surfaces, and the value belongs to neither. The measure is the gradient by
 * central differences, relative to the depth: the change per pixel over the depth itself.
 *
 * @param threshold largest relative change per pixel that is kept
 * @returns metres in a new array; masked and invalid pixels are 0
 */
export function maskEdges({ width, height, data }: DepthMap, threshold: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const metres = data[i] as number;
      if (!isValidDepth(metres)) continue;
      const limit = threshold * metres;
      const across = slope(data, metres, x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, 1);
      if (across > limit) continue;
      const down = slope(
        data,
        metres,
        y > 0 ? i - width : i,
        y < height - 1 ? i + width : i,
        width,
      );
      if (down <= limit) out[i] = metres;
    }
  }
  return out;
}

/** Change per pixel between two neighbours, or from one to the pixel itself if the other is invalid. */
function slope(
  z: Float32Array,
  here: number,
  before: number,
  after: number,
  stride: number,
): number {
  const a = z[before] as number;
  const b = z[after] as number;
  const [hasA, hasB] = [isValidDepth(a), isValidDepth(b)];
  if (hasA && hasB) {
    const pixels = (after - before) / stride;
    return pixels === 0 ? 0 : Math.abs(b - a) / pixels;
  }
  if (hasA) return Math.abs(here - a);
  return hasB ? Math.abs(b - here) : 0;
}
