import { isValidDepth } from '../core/valid-depth.ts';

/** A network's output at a place whose distance is known. */
export interface KnownDepth {
  /** Output of the network. */
  readonly x: number;
  /** True depth, metres. */
  readonly metres: number;
}

/** In which form the network's output is linear: `inverse` in 1 / depth, `metric` in depth. */
export type CalibrationForm = 'inverse' | 'metric';

/** `1 / (scale·x + shift)` metres (inverse), or `scale·x + shift` metres (metric). */
export interface Calibration {
  readonly scale: number;
  readonly shift: number;
  /** Median of |depth − truth| / truth over all pairs. */
  readonly medianAbsRel: number;
  readonly pairs: number;
  /** Pairs with a relative error of at most `inlierError`. */
  readonly inliers: number;
}

/** Why no calibration can be found. */
export class NoCalibration extends Error {
  override readonly name = 'NoCalibration';
}

/** Relative error up to which a pair counts as an inlier in the report. */
export const inlierError = 0.15;
/** A median relative error above this says that the pairs contradict each other. */
const mostMedianError = 0.3;
/** Outliers are farther from the fit than this multiple of the spread of the errors, and than `leastLimit`. */
const outlierSpread = 2.5;
const leastLimit = 0.05;
/** Standard deviation of normal errors over the median of their magnitudes. */
const deviation = 1.4826;
/** Two determine the line; a third shows whether they were right. */
const leastPairs = 3;
/** Farthest over nearest known depth, below which scale and shift cannot be told apart. */
const leastSpread = 1.3;
const mostHypotheses = 2000;
const wrongWay =
  'the known distances contradict the order of the model\'s output: its "meaning" is wrong, or the distances are';
const refinements = 30;
/** Relative error from which a pair counts less, as a multiple of the spread of the errors. */
const huberK = 1.345;

/**
 * Scale and shift that turn a network's output into metres. The line is fitted in inverse depth for
 * networks that estimate that up to scale and shift (Ranftl et al., *Towards Robust Monocular Depth
 * Estimation*, TPAMI 2020), else in depth; each pair is weighted such that its residual is the relative
 * error of the depth. Outliers are found by RANSAC (Fischler and Bolles, 1981) with the median of the
 * residuals (Rousseeuw, *Least Median of Squares*, 1984), then all pairs that agree are fitted by iteratively
 * reweighted least squares with Huber's weights.
 *
 * @throws NoCalibration if the pairs do not determine it, or contradict each other
 */
export function calibrate(known: readonly KnownDepth[], form: CalibrationForm): Calibration {
  const pairs = known
    .filter(({ x, metres }) => Number.isFinite(x) && isValidDepth(metres))
    .map((pair) => equationOf(pair, form));
  requireDetermined(pairs);
  const start = bestHypothesis(pairs);
  const spread = deviation * median(pairs.map((pair) => error(pair, start)));
  const limit = Math.max(leastLimit, outlierSpread * spread);
  const line = refine(
    pairs.filter((pair) => error(pair, start) <= limit),
    start,
  );
  if (!(line.scale > 0)) throw new NoCalibration(wrongWay);
  const errors = pairs.map((pair) => depthError(pair, line, form));
  const medianAbsRel = median(errors);
  if (medianAbsRel > mostMedianError) {
    throw new NoCalibration(
      `no scale and shift fit the known distances: the best are wrong by ${Math.round(100 * medianAbsRel)} % in the median; check the distances, and that the model's "meaning" is right`,
    );
  }
  const inliers = errors.filter((one) => one <= inlierError).length;
  return { ...line, medianAbsRel, pairs: pairs.length, inliers };
}

/** `weight · (scale·x + shift − y)` is the relative error of the depth. */
interface Equation {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
  readonly metres: number;
}

interface Line {
  readonly scale: number;
  readonly shift: number;
}

function equationOf({ x, metres }: KnownDepth, form: CalibrationForm): Equation {
  return form === 'inverse'
    ? { x, y: 1 / metres, weight: metres, metres }
    : { x, y: metres, weight: 1 / metres, metres };
}

function requireDetermined(pairs: readonly Equation[]): void {
  if (pairs.length < leastPairs) {
    throw new NoCalibration(
      `needs at least ${leastPairs} known distances, and has ${pairs.length}; five or more are better`,
    );
  }
  const metres = pairs.map((pair) => pair.metres);
  const [nearest, farthest] = [Math.min(...quantiles(metres)), Math.max(...quantiles(metres))];
  if (farthest < leastSpread * nearest) {
    throw new NoCalibration(
      `the known distances are all about the same (${nearest.toFixed(2)} to ${farthest.toFixed(2)} m), which does not determine scale and shift; add nearer and farther ones`,
    );
  }
  const [low, high] = quantiles(pairs.map(({ x }) => x));
  if (!(high - low > 1e-6 * Math.max(Math.abs(low), Math.abs(high)))) {
    throw new NoCalibration(
      'the model gives the same output at all known distances, which does not determine scale and shift; choose other places',
    );
  }
}

/** Ends of the values, without the outer 2 % where there are many. */
function quantiles(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 50);
  return [sorted[cut] as number, sorted[sorted.length - 1 - cut] as number];
}

/** The rising line through two pairs that has the smallest median error over all. */
function bestHypothesis(pairs: readonly Equation[]): Line {
  let best: Line | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [a, b] of couples(pairs)) {
    if (a.x === b.x) continue;
    const scale = (a.y - b.y) / (a.x - b.x);
    // Two noisy pairs may say the opposite of what all others say.
    if (!(scale > 0)) continue;
    const line = { scale, shift: a.y - scale * a.x };
    // With few pairs the median leaves the two out, which fit themselves.
    const others = pairs.length < 20 ? pairs.filter((pair) => pair !== a && pair !== b) : pairs;
    const cost = median(others.map((pair) => error(pair, line)));
    if (cost < least) [best, least] = [line, cost];
  }
  if (best) return best;
  throw new NoCalibration(wrongWay);
}

/** All couples if there are few, else as many by chance, always the same. */
function* couples(pairs: readonly Equation[]): Generator<readonly [Equation, Equation]> {
  const count = (pairs.length * (pairs.length - 1)) / 2;
  if (count <= mostHypotheses) {
    for (const [i, a] of pairs.entries()) for (const b of pairs.slice(i + 1)) yield [a, b];
    return;
  }
  let state = 1;
  const draw = () => {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return pairs[Math.floor((state / 2 ** 32) * pairs.length)] as Equation;
  };
  for (let n = 0; n < mostHypotheses; n++) yield [draw(), draw()];
}

function refine(pairs: readonly Equation[], start: Line): Line {
  let line = start;
  for (let n = 0; n < refinements; n++) {
    const errors = pairs.map((pair) => error(pair, line));
    const limit = huberK * Math.max(1e-6, deviation * median(errors));
    const weights = errors.map((e) => (e <= limit ? 1 : limit / e));
    const next = leastSquares(pairs, weights);
    if (!next) return line;
    line = next;
  }
  return line;
}

/** Weighted least squares; nothing if all pairs have the same output. */
function leastSquares(pairs: readonly Equation[], weights: readonly number[]): Line | undefined {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const [i, { x, y, weight }] of pairs.entries()) {
    const k = weight * weight * (weights[i] as number);
    w += k;
    wx += k * x;
    wy += k * y;
    wxx += k * x * x;
    wxy += k * x * y;
  }
  const determinant = w * wxx - wx * wx;
  if (!(Math.abs(determinant) > 1e-12 * w * wxx)) return undefined;
  const scale = (w * wxy - wx * wy) / determinant;
  return { scale, shift: (wy - scale * wx) / w };
}

function error({ x, y, weight }: Equation, { scale, shift }: Line): number {
  return Math.abs(weight * (scale * x + shift - y));
}

/** |depth − truth| / truth; 1 where the depth is invalid. */
function depthError(
  { x, metres }: Equation,
  { scale, shift }: Line,
  form: CalibrationForm,
): number {
  const value = scale * x + shift;
  const depth = form === 'inverse' ? 1 / value : value;
  return isValidDepth(depth) ? Math.abs(depth - metres) / metres : 1;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
