import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { temporalMedian } from './temporal-median.ts';
import { allValid, cleanCopy } from './valid-pixels.ts';

export interface SmoothingOptions {
  readonly method: 'ema' | 'median' | 'motion';
  /** ema: gain; motion: gain of static pixels; 0 < alpha ≤ 1. */
  readonly alpha: number;
  /** median: number of frames. */
  readonly window: number;
  /** motion: relative change at which the gain is 1. */
  readonly motionThreshold: number;
  /** Mean relative change above which the history is discarded. */
  readonly sceneCut: number;
  /** Frames for which an invalid pixel keeps its last valid depth. */
  readonly hold: number;
}

export interface Smoother {
  /** The smoothed depth, float32 metres, in a new array. */
  next(depth: DepthMap): Float32Array;
}

/** @param before what smoothed the frames until now: the new one goes on from its last depth */
export function createSmoother(options: SmoothingOptions, before?: Smoother): Smoother {
  const smoother =
    options.method === 'median' ? new MedianSmoother(options) : new AverageSmoother(options);
  if (before instanceof History) smoother.continue(before);
  return smoother;
}

/** What both kinds share: the history at one picture size, and when to discard it. */
abstract class History implements Smoother {
  protected readonly options: SmoothingOptions;
  protected past: Float32Array | undefined;
  #width = 0;
  /** Frames since each pixel was last valid. */
  #missing = new Uint16Array(0);
  /** Some pixel was invalid in the newest frame. */
  #holding = false;

  constructor(options: SmoothingOptions) {
    this.options = options;
  }

  /** Goes on from the history of another. */
  continue(before: History): void {
    if (!before.past) return;
    this.past = before.past;
    this.#width = before.#width;
    this.#missing = before.#missing;
    this.#holding = before.#holding;
    this.reset(before.past);
  }

  next(depth: DepthMap): Float32Array {
    const { data, width } = depth;
    const past = this.past;
    if (!past || past.length !== data.length || this.#width !== width || this.#isCut(depth, past)) {
      this.#width = width;
      this.#missing = new Uint16Array(data.length);
      this.#holding = false;
      this.reset(data);
      this.past = cleanCopy(data);
      return this.past;
    }
    const out = new Float32Array(data.length);
    this.blend(data, past, out);
    // Usually every pixel is valid, and nothing has to be held.
    if (this.#holding || !allValid(data)) this.#hold(data, past, out);
    this.past = out;
    return out;
  }

  protected abstract reset(data: Float32Array): void;
  /** Fills `out` where `data` is valid; what it writes elsewhere is not used. */
  protected abstract blend(data: Float32Array, past: Float32Array, out: Float32Array): void;

  /** Gives invalid pixels their last depth for `hold` frames, then 0. */
  #hold(data: Float32Array, past: Float32Array, out: Float32Array): void {
    const missing = this.#missing;
    const { hold } = this.options;
    this.#holding = false;
    for (let i = 0; i < data.length; i++) {
      if (isValidDepth(data[i] as number)) {
        missing[i] = 0;
        continue;
      }
      this.#holding = true;
      const frames = (missing[i] as number) + 1;
      missing[i] = Math.min(frames, 65_535);
      out[i] = frames <= hold ? (past[i] as number) : 0;
    }
  }

  /** Mean relative change over pixels valid in both. */
  #isCut({ data, width, height }: DepthMap, past: Float32Array): boolean {
    let sum = 0;
    let n = 0;
    // A sample of the rows is enough.
    const step = Math.max(1, Math.floor(height / cutRows)) * width;
    for (let start = 0; start < data.length; start += step) {
      for (let i = start; i < start + width; i++) {
        const a = data[i] as number;
        const b = past[i] as number;
        if (!isValidDepth(a) || !isValidDepth(b)) continue;
        sum += Math.abs(a - b) / b;
        n++;
      }
    }
    return n > 0 && sum / n > this.options.sceneCut;
  }
}

/** Number of rows, spread over the picture, that are compared to detect a cut. */
const cutRows = 32;

class AverageSmoother extends History {
  protected reset(): void {}

  protected blend(data: Float32Array, past: Float32Array, out: Float32Array): void {
    const { alpha, motionThreshold, method } = this.options;
    if (method === 'ema') average(data, past, out, alpha);
    else followMotion(data, past, out, alpha, (1 - alpha) / motionThreshold);
  }
}

/** Exponential moving average. */
function average(data: Float32Array, past: Float32Array, out: Float32Array, alpha: number): void {
  for (let i = 0; i < out.length; i++) {
    const value = data[i] as number;
    const last = past[i] as number;
    out[i] = last > 0 ? last + alpha * (value - last) : value;
  }
}

/** The same with a gain that rises with the relative change, by `slope`, up to 1. */
function followMotion(
  data: Float32Array,
  past: Float32Array,
  out: Float32Array,
  alpha: number,
  slope: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const value = data[i] as number;
    const last = past[i] as number;
    const change = value - last;
    const gain = alpha + (slope * Math.abs(change)) / last;
    // Not Math.min, which handles more cases and is slower.
    out[i] = last > 0 && gain < 1 ? last + gain * change : value;
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
