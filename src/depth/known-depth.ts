/** A network's output at a place whose distance is known. */
export interface KnownDepth {
  /** Output of the network. */
  readonly x: number;
  /** True depth, metres. */
  readonly metres: number;
  /** What it was seen on. Estimates on one picture are wrong together. */
  readonly picture?: string | number | undefined;
}

/** In which form the network's output is linear: `inverse` in 1 / depth, `metric` in depth. */
export type CalibrationForm = 'inverse' | 'metric';

/** Why no calibration can be found. */
export class NoCalibration extends Error {
  override readonly name = 'NoCalibration';
}

/** `weight · (scale·x + shift − y)` is the relative error of the depth. */
export interface Equation extends KnownDepth {
  readonly y: number;
  readonly weight: number;
}

/** `y = scale·x + shift`. */
export interface Line {
  readonly scale: number;
  readonly shift: number;
}

export function equationOf(pair: KnownDepth, form: CalibrationForm): Equation {
  const { metres } = pair;
  return form === 'inverse'
    ? { ...pair, y: 1 / metres, weight: metres }
    : { ...pair, y: metres, weight: 1 / metres };
}

/** Outliers are farther from a fit than this multiple of the spread of the errors, and than `leastLimit`. */
const outlierSpread = 2.5;
const leastLimit = 0.05;
/** Standard deviation of normal errors over the median of their magnitudes. */
const deviation = 1.4826;

/** Spread of errors, whatever a minority of them is. */
export function spreadOf(errors: readonly number[]): number {
  return deviation * median(errors.map(Math.abs));
}

/** The error beyond which a pair is an outlier. */
export function outlierLimit(errors: readonly number[]): number {
  return Math.max(leastLimit, outlierSpread * spreadOf(errors));
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
