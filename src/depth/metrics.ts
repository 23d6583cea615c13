import { isValidDepth } from '../core/valid-depth.ts';

/** Range of ground truth to compare with, metres, both ends included. */
export interface DepthRange {
  readonly min: number;
  readonly max: number;
}

/**
 * Errors of a prediction, as the depth literature measures them (Eigen et al. 2014).
 * Lengths in metres; `delta1`…`delta3` are the share of pixels within a factor of 1.25, 1.25² and
 * 1.25³, from 0 to 1.
 */
export interface DepthErrors {
  readonly delta1: number;
  readonly delta2: number;
  readonly delta3: number;
  readonly rmse: number;
  readonly mae: number;
  /** Mean of |prediction − truth| / truth. */
  readonly absRel: number;
  /** Mean of (prediction − truth)² / truth, metres. */
  readonly sqRel: number;
  /** Mean of |log10 prediction − log10 truth|. */
  readonly log10: number;
}

export const depthErrorNames = [
  'delta1',
  'delta2',
  'delta3',
  'rmse',
  'mae',
  'absRel',
  'sqRel',
  'log10',
] as const satisfies readonly (keyof DepthErrors)[];

/** Errors of one frame. */
export interface FrameErrors extends DepthErrors {
  /** Pixels with a valid truth and a valid prediction: the errors cover these. */
  readonly pixels: number;
  /** Share of the pixels with a valid truth that have a prediction, 0 to 1. */
  readonly coverage: number;
}

export interface FrameErrorOptions {
  /** Ground truth to compare with; default: all valid depth. */
  readonly range?: DepthRange | undefined;
  /** Factor to multiply the prediction by, see `medianScale`. Default 1. */
  readonly scale?: number;
}

const everything: DepthRange = { min: Number.MIN_VALUE, max: Number.MAX_VALUE };

/** Errors of one frame; `undefined` if no pixel has both a valid truth and a valid prediction. */
export function frameErrors(
  prediction: Float32Array,
  truth: Float32Array,
  { range = everything, scale = 1 }: FrameErrorOptions = {},
): FrameErrors | undefined {
  requireSameSize(prediction, truth);
  let pixels = 0;
  let known = 0;
  let within1 = 0;
  let within2 = 0;
  let within3 = 0;
  let squares = 0;
  let absolute = 0;
  let relative = 0;
  let squaresRelative = 0;
  let logarithms = 0;
  for (let i = 0; i < truth.length; i++) {
    const t = truth[i] as number;
    if (!isValidDepth(t) || t < range.min || t > range.max) continue;
    known++;
    const p = (prediction[i] as number) * scale;
    if (!isValidDepth(p)) continue;
    pixels++;
    const ratio = p > t ? p / t : t / p;
    if (ratio < 1.25) within1++;
    if (ratio < 1.5625) within2++;
    if (ratio < 1.953125) within3++;
    const difference = Math.abs(p - t);
    const square = difference * difference;
    squares += square;
    absolute += difference;
    relative += difference / t;
    squaresRelative += square / t;
    logarithms += Math.log10(ratio);
  }
  if (pixels === 0) return undefined;
  return {
    pixels,
    coverage: pixels / known,
    delta1: within1 / pixels,
    delta2: within2 / pixels,
    delta3: within3 / pixels,
    rmse: Math.sqrt(squares / pixels),
    mae: absolute / pixels,
    absRel: relative / pixels,
    sqRel: squaresRelative / pixels,
    log10: logarithms / pixels,
  };
}

/**
 * The factor that scales the prediction's median to that of the truth. The errors that remain are
 * those of shape, without scale. 1 if no pixel is valid in both.
 */
export function medianScale(
  prediction: Float32Array,
  truth: Float32Array,
  range: DepthRange = everything,
): number {
  requireSameSize(prediction, truth);
  const predicted = new Float32Array(truth.length);
  const known = new Float32Array(truth.length);
  let n = 0;
  for (let i = 0; i < truth.length; i++) {
    const t = truth[i] as number;
    const p = prediction[i] as number;
    if (!isValidDepth(t) || t < range.min || t > range.max) continue;
    if (!isValidDepth(p)) continue;
    predicted[n] = p;
    known[n++] = t;
  }
  return n === 0 ? 1 : median(known.subarray(0, n)) / median(predicted.subarray(0, n));
}

/** Sorts `values` in place. */
function median(values: Float32Array): number {
  values.sort();
  const middle = values.length >> 1;
  const upper = values[middle] as number;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] as number) + upper) / 2;
}

function requireSameSize(prediction: Float32Array, truth: Float32Array): void {
  if (prediction.length === truth.length) return;
  throw new RangeError(
    `prediction has ${prediction.length} pixels and truth ${truth.length}; scale one to the other first`,
  );
}

export interface DepthMetricsResult extends DepthErrors {
  /** Frames that had at least one pixel to compare. */
  readonly frames: number;
  /** Pixels compared, of all frames. */
  readonly pixels: number;
}

/**
 * Errors over many frames.
 *
 * `frames` (default) is the mean of each frame's own errors, which is how FastDepth's code and its
 * paper's tables count; `pixels` weights each frame by its valid pixels, as Eigen et al. do. They
 * differ where the share of valid pixels does, and in RMSE always.
 */
export class DepthMetrics {
  readonly #average: 'frames' | 'pixels';
  readonly #sums = Object.fromEntries(depthErrorNames.map((name) => [name, 0])) as Record<
    keyof DepthErrors,
    number
  >;
  #frames = 0;
  #pixels = 0;

  constructor(average: 'frames' | 'pixels' = 'frames') {
    this.#average = average;
  }

  /**
   * Counts a frame; returns its errors, or `undefined` if it has no pixel to compare.
   *
   * @param prediction float32 metres
   * @param truth float32 metres, as many; 0 and NaN are invalid
   */
  add(
    prediction: Float32Array,
    truth: Float32Array,
    range?: DepthRange,
    scale = 1,
  ): FrameErrors | undefined {
    const errors = frameErrors(prediction, truth, { range, scale });
    if (errors) this.addErrors(errors);
    return errors;
  }

  /** Counts a frame whose errors are known. */
  addErrors(errors: FrameErrors): void {
    const weight = this.#average === 'frames' ? 1 : errors.pixels;
    this.#frames++;
    this.#pixels += errors.pixels;
    for (const name of depthErrorNames) {
      // Squares can be averaged over pixels, their roots cannot.
      const value = name === 'rmse' && this.#average === 'pixels' ? errors.rmse ** 2 : errors[name];
      this.#sums[name] += weight * value;
    }
  }

  /** Every error is NaN if no frame could be compared. */
  result(): DepthMetricsResult {
    const weight = this.#average === 'frames' ? this.#frames : this.#pixels;
    const mean = (name: keyof DepthErrors) => this.#sums[name] / weight;
    const rmse = mean('rmse');
    return {
      frames: this.#frames,
      pixels: this.#pixels,
      delta1: mean('delta1'),
      delta2: mean('delta2'),
      delta3: mean('delta3'),
      rmse: this.#average === 'pixels' ? Math.sqrt(rmse) : rmse,
      mae: mean('mae'),
      absRel: mean('absRel'),
      sqRel: mean('sqRel'),
      log10: mean('log10'),
    };
  }
}
