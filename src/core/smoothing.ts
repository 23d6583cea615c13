import type { DepthMap } from './frame.ts';
import { temporalMedian } from './temporal-median.ts';

export interface SmoothingOptions {
  readonly method: 'ema' | 'median' | 'motion';
  /** ema: gain; motion: gain at rest; 0 < alpha ≤ 1. */
  readonly alpha: number;
  /** median: frames. */
  readonly window: number;
  /** motion: relative change at which the gain is 1. */
  readonly motionThreshold: number;
  /** Mean relative change beyond which the past is forgotten. */
  readonly sceneCut: number;
  /** Frames for which an invalid pixel keeps its last depth. */
  readonly hold: number;
}

export interface Smoother {
  /** The smoothed depth, float32 metres, in an array of its own. */
  next(depth: DepthMap): Float32Array;
}

export function createSmoother(options: SmoothingOptions): Smoother {
  return options.method === 'median' ? new MedianSmoother(options) : new AverageSmoother(options);
}

/** What both kinds share: the past of one picture size, and when to forget it. */
abstract class History implements Smoother {
  protected readonly options: SmoothingOptions;
  protected past: Float32Array | undefined;
  #width = 0;
  /** Frames since each pixel was last valid. */
  #missing = new Uint16Array(0);

  constructor(options: SmoothingOptions) {
    this.options = options;
  }

  next(depth: DepthMap): Float32Array {
    const { data, width } = depth;
    const past = this.past;
    if (!past || past.length !== data.length || this.#width !== width || this.#isCut(data, past)) {
      this.#width = width;
      this.#missing = new Uint16Array(data.length);
      this.reset(data);
      this.past = clean(data);
      return this.past;
    }
    const out = new Float32Array(data.length);
    this.blend(data, past, out);
    for (let i = 0; i < data.length; i++) {
      if (isValid(data[i] as number)) this.#missing[i] = 0;
      else out[i] = this.#held(i, past[i] as number);
    }
    this.past = out;
    return out;
  }

  protected abstract reset(data: Float32Array): void;
  /** Fills `out` for the pixels that are valid in `data`; what it writes for others is not used. */
  protected abstract blend(data: Float32Array, past: Float32Array, out: Float32Array): void;

  #held(i: number, last: number): number {
    const missing = (this.#missing[i] as number) + 1;
    this.#missing[i] = Math.min(missing, 65_535);
    return missing <= this.options.hold ? last : 0;
  }

  /** Mean relative change over pixels valid in both. */
  #isCut(data: Float32Array, past: Float32Array): boolean {
    let sum = 0;
    let n = 0;
    // Every seventh pixel says as much as all of them.
    for (let i = 0; i < data.length; i += 7) {
      const a = data[i] as number;
      const b = past[i] as number;
      if (!(isValid(a) && b > 0)) continue;
      sum += Math.abs(a - b) / b;
      n++;
    }
    return n > 0 && sum / n > this.options.sceneCut;
  }
}

class AverageSmoother extends History {
  protected reset(): void {}

  protected blend(data: Float32Array, past: Float32Array, out: Float32Array): void {
    const { alpha, motionThreshold, method } = this.options;
    const slope = method === 'motion' ? (1 - alpha) / motionThreshold : 0;
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      const last = past[i] as number;
      if (!(last > 0)) {
        out[i] = value;
        continue;
      }
      const gain = Math.min(1, alpha + (slope * Math.abs(value - last)) / last);
      out[i] = last + gain * (value - last);
    }
  }
}

class MedianSmoother extends History {
  #frames: Float32Array[] = [];

  protected reset(data: Float32Array): void {
    this.#frames = [data];
  }

  protected blend(data: Float32Array, _past: Float32Array, out: Float32Array): void {
    this.#frames.push(data);
    if (this.#frames.length > this.options.window) this.#frames.shift();
    temporalMedian(this.#frames, out);
  }
}

/** A copy in which everything invalid is 0. */
function clean(data: Float32Array): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    // Not Math.max: it would keep NaN.
    if (value > 0) out[i] = value;
  }
  return out;
}

/** NaN fails both comparisons; infinity would stay in an average for good. */
function isValid(value: number): boolean {
  return value > 0 && value < Number.POSITIVE_INFINITY;
}
