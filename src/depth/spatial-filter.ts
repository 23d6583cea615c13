import type { DepthMap } from '../core/frame.ts';
import { cleanCopy } from './valid-pixels.ts';

export interface SpatialOptions {
  /** Weight of the pixel itself, 0 < alpha ≤ 1; 1 changes nothing. */
  readonly alpha: number;
  /** Relative change of depth between neighbours from which on there is an edge. */
  readonly delta: number;
  /** Passes over rows and columns. */
  readonly iterations: number;
}

/**
 * Smooths depth within surfaces and keeps the edges between them: the recursive filter of the domain
 * transform (Gastal and Oliveira, *Domain Transform for Edge-Aware Image and Video Processing*, SIGGRAPH
 * 2011), in the form of librealsense's spatial filter. Each pass goes along the rows and back, then along
 * the columns and back, and averages a pixel with the one before it unless there is an edge between them.
 * Librealsense tests for edges in disparity; a relative change of depth is the same at every distance.
 *
 * @returns metres in a new array; invalid pixels are 0, and nothing flows across them
 */
export function filterSpatially({ width, data }: DepthMap, options: SpatialOptions): Float32Array {
  const out = cleanCopy(data);
  if (options.alpha === 1) return out;
  for (let i = 0; i < options.iterations; i++) {
    for (let start = 0; start < out.length; start += width) {
      pass(out, start + 1, start + width, 1, options);
      pass(out, start + width - 2, start - 1, -1, options);
    }
    // Columns, in the order of memory: each pixel with the one above it, then with the one below.
    pass(out, width, out.length, width, options);
    pass(out, out.length - width - 1, -1, -width, options);
  }
  return out;
}

/** Averages each pixel from `from` to `to` with the one `|by|` before it: its neighbour that is done. */
function pass(
  z: Float32Array,
  from: number,
  to: number,
  by: number,
  { alpha, delta }: SpatialOptions,
): void {
  const step = by < 0 ? -1 : 1;
  for (let i = from; i !== to; i += step) {
    const before = z[i - by] as number;
    const change = (z[i] as number) - before;
    const limit = delta * before;
    // Never true where one of them is invalid, that is 0.
    if (change < limit && change > -limit) z[i] = before + alpha * change;
  }
}
