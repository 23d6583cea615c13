import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** Errors of depth at the edges of the true depth. */
export interface EdgeErrors {
  /** Places in rows and columns where the true depth jumps. */
  readonly edges: number;
  /** Mean distance from there to the nearest jump of the depth, pixels; `reach` where there is none. */
  readonly distance: number;
  /** Share of the edges without a jump of the depth within `reach`, 0 to 1. */
  readonly missed: number;
  /** Root mean square error within `band` pixels of an edge, metres. */
  readonly rmse: number;
}

/** Ratio of neighbouring true depths from which on they are an edge. */
const jump = 1.1;
/** How far from a true edge one of the depth is looked for, pixels. */
const reach = 8;
/** Pixels on every side of an edge whose error counts. */
const band = 4;

/**
 * Compares depth with ground truth of the same size where the truth jumps by more than a tenth between two
 * neighbours. Pixels that are invalid in either are left out. The depth jumps where it crosses the
 * middle of the two true depths, between pixels by linear interpolation.
 *
 * @returns undefined if the truth has no edge
 */
export function edgeErrors(depth: DepthMap, truth: DepthMap): EdgeErrors | undefined {
  const { width, height } = truth;
  const scan = new Scan(depth.data, truth.data);
  for (let y = 0; y < height; y++) scan.line(width, y * width, 1);
  for (let x = 0; x < width; x++) scan.line(height, x, width);
  if (scan.edges === 0) return undefined;
  return {
    edges: scan.edges,
    distance: scan.distance / scan.edges,
    missed: scan.missed / scan.edges,
    rmse: bandError(depth, truth),
  };
}

class Scan {
  edges = 0;
  distance = 0;
  missed = 0;
  readonly #depth: Float32Array;
  readonly #truth: Float32Array;

  constructor(depth: Float32Array, truth: Float32Array) {
    this.#depth = depth;
    this.#truth = truth;
  }

  /** One row or column: `length` pixels from `start`, `stride` apart. */
  line(length: number, start: number, stride: number): void {
    for (let i = reach; i < length - reach - 1; i++) {
      const at = start + i * stride;
      const before = this.#truth[at] as number;
      const after = this.#truth[at + stride] as number;
      if (!isEdge(before, after) || !this.#isWhole(at, stride)) continue;
      const distance = this.#nearest(at, stride, (before + after) / 2, after > before);
      this.edges++;
      this.distance += distance;
      if (distance >= reach) this.missed++;
    }
  }

  /** Depth on all pixels in reach. */
  #isWhole(at: number, stride: number): boolean {
    for (let k = -reach; k <= reach; k++) {
      if (!isValidDepth(this.#depth[at + k * stride] as number)) return false;
    }
    return true;
  }

  #nearest(at: number, stride: number, middle: number, rises: boolean): number {
    let nearest: number = reach;
    for (let k = -reach; k < reach; k++) {
      const before = this.#depth[at + k * stride] as number;
      const after = this.#depth[at + (k + 1) * stride] as number;
      const crosses = rises
        ? before <= middle && after > middle
        : before >= middle && after < middle;
      if (!crosses) continue;
      // The true edge is half a pixel behind `at`.
      const distance = Math.abs(k + (middle - before) / (after - before) - 0.5);
      nearest = Math.min(nearest, distance);
    }
    return nearest;
  }
}

function isEdge(a: number, b: number): boolean {
  return isValidDepth(a) && isValidDepth(b) && Math.max(a, b) > jump * Math.min(a, b);
}

function bandError({ data }: DepthMap, { width, height, data: truth }: DepthMap): number {
  const near = new Uint8Array(truth.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const metres = truth[at] as number;
      const beside = x + 1 < width && isEdge(metres, truth[at + 1] as number);
      const below = y + 1 < height && isEdge(metres, truth[at + width] as number);
      if (!beside && !below) continue;
      for (let v = Math.max(0, y - band); v <= Math.min(height - 1, y + band); v++) {
        near.fill(1, v * width + Math.max(0, x - band), v * width + Math.min(width, x + band + 1));
      }
    }
  }
  let sum = 0;
  let pixels = 0;
  for (const [at, isNear] of near.entries()) {
    const estimate = data[at] as number;
    const metres = truth[at] as number;
    if (!isNear || !isValidDepth(estimate) || !isValidDepth(metres)) continue;
    sum += (estimate - metres) ** 2;
    pixels++;
  }
  return Math.sqrt(sum / pixels);
}
