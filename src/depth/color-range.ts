import { z } from 'zod';
import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { colormaps } from './colormap.ts';

/** Options of everything that shows depth in colours. */
export const depthColorOptions = {
  colormap: z
    .enum(colormaps)
    .default('turbo')
    .describe('colours; near is their warm or bright end'),
  min: z
    .number()
    .min(0)
    .max(1e6)
    .optional()
    .describe('depth with the nearest colour, metres; default: follows the percentiles'),
  max: z
    .number()
    .gt(0)
    .max(1e6)
    .optional()
    .describe('depth with the farthest colour, metres; default: follows the percentiles'),
  percentiles: z
    .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
    .refine(([low, high]) => low < high, { error: 'the first must be less than the second' })
    .default([2, 98])
    .describe('where min or max is not given: these percentiles of each frame, followed slowly'),
};

export interface DepthRangeOptions {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly percentiles: readonly [number, number];
}

/** Weight of a new frame in the range that is followed. */
const follow = 0.1;
const most = 4096;

/**
 * The range of depths to show: fixed where an end is given, else percentiles of the frames. They
 * are followed slowly (`0.9 · before + 0.1 · frame`), because colours that jump look like depth
 * that jumps.
 */
export class DepthRangeTracker {
  readonly #options: DepthRangeOptions;
  readonly #samples = new Float32Array(most);
  #low: number | undefined;
  #high: number | undefined;

  constructor(options: DepthRangeOptions) {
    this.#options = options;
  }

  /** Nearest and farthest depth to show for this frame, metres; always a little apart. */
  next(depth: DepthMap): { min: number; max: number } {
    const { min, max } = this.#options;
    if (min === undefined || max === undefined) this.#follow(depth);
    const near = min ?? this.#low ?? 0;
    const far = max ?? this.#high ?? near + 1;
    return { min: near, max: Math.max(far, near + 1e-3) };
  }

  #follow({ data }: DepthMap): void {
    // An odd step, so that samples do not all lie in a few columns.
    const step = Math.ceil(data.length / most) | 1;
    let n = 0;
    for (let i = 0; i < data.length && n < most; i += step) {
      const value = data[i] as number;
      if (isValidDepth(value)) this.#samples[n++] = value;
    }
    if (n === 0) return;
    const sorted = this.#samples.subarray(0, n).sort();
    const [low, high] = this.#options.percentiles;
    this.#low = approach(this.#low, percentile(sorted, low));
    this.#high = approach(this.#high, percentile(sorted, high));
  }
}

function approach(before: number | undefined, now: number): number {
  return before === undefined ? now : before + follow * (now - before);
}

function percentile(sorted: Float32Array, p: number): number {
  return sorted[Math.round(((sorted.length - 1) * p) / 100)] as number;
}
