import { isValidDepth } from '../core/valid-depth.ts';
import { fitLine } from './fit-line.ts';
import { fitScale } from './fit-scale.ts';
import {
  type CalibrationForm,
  type Equation,
  equationOf,
  type KnownDepth,
  type Line,
  median,
  NoCalibration,
} from './known-depth.ts';

/** `1 / (scale·x + shift)` metres (inverse), or `scale·x + shift` metres (metric). */
export interface Calibration extends Line {
  /** Median of |depth − truth| / truth over all pairs. */
  readonly medianAbsRel: number;
  readonly pairs: number;
  /** Pairs with a relative error of at most `inlierError`. */
  readonly inliers: number;
  /** |depth − truth| / truth of each pair that was given; NaN where no distance was known. */
  readonly errors: readonly number[];
}

/** Relative error up to which a pair counts as an inlier in the report. */
export const inlierError = 0.15;
/** A median relative error above this says that the pairs contradict each other. */
const mostMedianError = 0.3;
/** Two determine the line; a third shows whether they were right. */
const leastPairs = 3;
/** Errors at unseen pairs, over those of the usual method, below which the other is taken. */
const shiftIsWorthIt = 0.3;
const scaleIsEnough = 0.6;
/** Relative error of a model that its calibration describes exactly. */
const exact = 0.02;
/** Parts that the pairs are split into to see how well a fit predicts. */
const mostFolds = 10;
/** Pairs that are enough for that. */
const mostCompared = 1000;

/**
 * Scale and shift that turn a network's output into metres. They apply to inverse depth for networks that
 * estimate that up to scale and shift (Ranftl et al., *Towards Robust Monocular Depth Estimation*, TPAMI
 * 2020), else to depth; each pair is weighted such that its residual is the relative error of the depth.
 *
 * A metric network gets a scale alone, and a relative one scale and shift, unless the other predicts pairs
 * that it has not seen clearly better (cross-validation over pictures, or over pairs of fewer than three
 * pictures). A few pairs determine a shift badly: it helps where they are, and harms in other rooms.
 *
 * @param prior the scale of a metric network that holds if nothing is measured
 * @throws NoCalibration if the pairs do not determine it, or contradict each other
 */
export function calibrate(
  known: readonly KnownDepth[],
  form: CalibrationForm,
  prior = 1,
): Calibration {
  const pairs = known.filter(isKnown).map((pair) => equationOf(pair, form));
  if (pairs.length < leastPairs) {
    throw new NoCalibration(
      `needs at least ${leastPairs} known distances, and has ${pairs.length}; five or more are better`,
    );
  }
  const line = bestFit(pairs, form, prior);
  const errors = known.map((pair) =>
    isKnown(pair) ? depthError(equationOf(pair, form), line, form) : Number.NaN,
  );
  const counted = errors.filter((one) => !Number.isNaN(one));
  const medianAbsRel = median(counted);
  if (medianAbsRel > mostMedianError) {
    throw new NoCalibration(
      `no scale and shift fit the known distances: the best are wrong by ${Math.round(100 * medianAbsRel)} % in the median; check the distances, and that the model's "meaning" is right`,
    );
  }
  const inliers = counted.filter((one) => one <= inlierError).length;
  return { ...line, medianAbsRel, pairs: pairs.length, inliers, errors };
}

function isKnown({ x, metres }: KnownDepth): boolean {
  return Number.isFinite(x) && isValidDepth(metres);
}

type Method = (pairs: readonly Equation[]) => Line;

function bestFit(pairs: readonly Equation[], form: CalibrationForm, prior: number): Line {
  const scaleAlone = (some: readonly Equation[]): Line => {
    const scale = fitScale(some, form === 'metric' ? prior : undefined);
    if (scale === undefined) throw new NoCalibration('the model gives nothing there');
    return { scale, shift: 0 };
  };
  const [usual, other] = form === 'metric' ? [scaleAlone, fitLine] : [fitLine, scaleAlone];
  // Also refuses what has no calibration.
  const found = usual(pairs);
  const alternative = tryMethod(pairs, other);
  if (!alternative) return found;
  const seen = (line: Line) => median(pairs.map((pair) => depthError(pair, line, form)));
  // Few pairs of an exact model, some of them wrong, may look better without a shift when one is left out.
  if (form === 'inverse' && seen(alternative) > 2 * seen(found) + exact) return found;
  const share = form === 'metric' ? shiftIsWorthIt : scaleIsEnough;
  const unseen = (method: Method) => unseenError(pairs, method, form);
  return unseen(other) < share * unseen(usual) ? alternative : found;
}

/** Median error at pairs that a method has not seen. */
function unseenError(all: readonly Equation[], method: Method, form: CalibrationForm): number {
  const every = Math.ceil(all.length / mostCompared);
  const pairs = all.filter((_, i) => i % every === 0);
  const folds = foldsOf(pairs);
  const errors = [...new Set(folds)].flatMap((fold) => {
    const seen = pairs.filter((_, i) => folds[i] !== fold);
    const line = tryMethod(seen, method);
    const unseen = pairs.filter((_, i) => folds[i] === fold);
    return unseen.map((pair) => (line ? depthError(pair, line, form) : 1));
  });
  return median(errors);
}

/** The part that each pair belongs to: by picture, or where there are few of these each its own. */
function foldsOf(pairs: readonly Equation[]): number[] {
  const pictures = [...new Set(pairs.map(({ picture }) => picture))];
  if (pictures.length >= leastPairs) {
    const numbers = new Map(pictures.map((picture, i) => [picture, i % mostFolds]));
    return pairs.map(({ picture }) => numbers.get(picture) as number);
  }
  const count = pairs.length <= 2 * mostFolds ? pairs.length : mostFolds;
  return pairs.map((_, i) => i % count);
}

function tryMethod(pairs: readonly Equation[], method: Method): Line | undefined {
  try {
    return method(pairs);
  } catch (error) {
    if (error instanceof NoCalibration) return undefined;
    throw error;
  }
}

/** |depth − truth| / truth; 1 where the depth is invalid. */
function depthError({ x, metres }: Equation, line: Line, form: CalibrationForm): number {
  const value = line.scale * x + line.shift;
  const depth = form === 'inverse' ? 1 / value : value;
  return isValidDepth(depth) ? Math.abs(depth - metres) / metres : 1;
}
