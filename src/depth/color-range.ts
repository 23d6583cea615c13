import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** A depth frame, or a map without a time. */
export type TimedDepth = DepthMap & { readonly pts?: bigint };

export interface ColorRangeOptions {
  /** Depth with the nearest colour, metres; otherwise it follows the lower percentile. */
  readonly min?: number | undefined;
  /** Depth with the farthest colour, metres; otherwise it follows the upper percentile. */
  readonly max?: number | undefined;
  readonly percentiles: readonly [number, number];
  /** False: the percentiles of each frame alone, without an average. Default: true. */
  readonly steady?: boolean;
}

/**
 * Time constants of the moving average, seconds. Colours that jump look like depth that jumps, so the
 * range is slow; it widens faster than it narrows, so that nothing is outside it for long.
 */
const widening = 0.5;
const narrowing = 3;
/** Taken for frames without a time of their own, seconds. */
const assumedInterval = 1 / 30;
/** Pixels that the percentiles are taken of. */
const sampleLimit = 4096;

/**
 * The depths between which colours are spread: fixed where an end is given, else percentiles of the
 * frames as an exponential moving average over time, which widens within half a second and narrows
 * within three.
 */
export class ColorRangeTracker {
  readonly #options: ColorRangeOptions;
  readonly #samples = new Float32Array(sampleLimit);
  #low: number | undefined;
  #high: number | undefined;
  #pts: bigint | undefined;

  /** @param before what followed the frames until now: the range moves on from there */
  constructor(options: ColorRangeOptions, before?: ColorRangeTracker) {
    this.#options = options;
    if (!before) return;
    this.#low = before.#low;
    this.#high = before.#high;
    this.#pts = before.#pts;
  }

  /** Nearest and farthest depth to show for this frame, metres; at least a millimetre apart. */
  next(depth: TimedDepth): { min: number; max: number } {
    const { min, max } = this.#options;
    if (min === undefined || max === undefined) this.#follow(depth);
    const near = min ?? this.#low ?? 0;
    const far = max ?? this.#high ?? near + 1;
    return { min: near, max: Math.max(far, near + 1e-3) };
  }

  #follow({ data, pts }: TimedDepth): void {
    // An odd step, so that samples do not all lie in a few columns.
    const step = Math.ceil(data.length / sampleLimit) | 1;
    let n = 0;
    for (let i = 0; i < data.length && n < sampleLimit; i += step) {
      const value = data[i] as number;
      if (isValidDepth(value)) this.#samples[n++] = value;
    }
    if (this.#options.steady === false) this.#low = this.#high = undefined;
    if (n === 0) return;
    const sorted = this.#samples.subarray(0, n).sort();
    const [low, high] = this.#options.percentiles;
    const seconds = this.#secondsSince(pts);
    const near = percentile(sorted, low);
    const far = percentile(sorted, high);
    this.#low = approach(this.#low, near, seconds, near < (this.#low ?? near));
    this.#high = approach(this.#high, far, seconds, far > (this.#high ?? far));
  }

  #secondsSince(pts: bigint | undefined): number {
    const before = this.#pts;
    this.#pts = pts;
    if (pts === undefined || before === undefined) return assumedInterval;
    return Math.max(0, Number(pts - before) / 1e9);
  }
}

function approach(
  before: number | undefined,
  now: number,
  seconds: number,
  widens: boolean,
): number {
  if (before === undefined) return now;
  const weight = 1 - Math.exp(-seconds / (widens ? widening : narrowing));
  return before + weight * (now - before);
}

function percentile(sorted: Float32Array, p: number): number {
  return sorted[Math.round(((sorted.length - 1) * p) / 100)] as number;
}
