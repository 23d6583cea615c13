import {
  type Equation,
  type Line,
  median,
  NoCalibration,
  outlierLimit,
  spreadOf,
} from './known-depth.ts';

/** Farthest over nearest known depth, below which scale and shift cannot be told apart. */
const leastSpread = 1.3;
const mostHypotheses = 1000;
/** Pairs that hypotheses are judged by. */
const mostJudges = 1000;
const wrongWay =
  'the known distances contradict the order of the model\'s output: its "meaning" is wrong, or the distances are';
const refinements = 30;
/** Relative error from which a pair counts less, as a multiple of the spread of the errors. */
const huberK = 1.345;

/**
 * The rising line through the pairs. Outliers are found by RANSAC (Fischler and Bolles, 1981) with the median
 * of the residuals (Rousseeuw, *Least Median of Squares*, 1984); then all pairs that agree are fitted by
 * iteratively reweighted least squares with Huber's weights.
 *
 * @throws NoCalibration if the pairs do not determine it
 */
export function fitLine(pairs: readonly Equation[]): Line {
  requireDetermined(pairs);
  const start = bestHypothesis(pairs);
  const limit = outlierLimit(pairs.map((pair) => error(pair, start)));
  const line = refine(
    pairs.filter((pair) => error(pair, start) <= limit),
    start,
  );
  if (!(line.scale > 0)) throw new NoCalibration(wrongWay);
  return line;
}

function requireDetermined(pairs: readonly Equation[]): void {
  const [nearest, farthest] = quantiles(pairs.map(({ metres }) => metres));
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
  const every = Math.ceil(pairs.length / mostJudges);
  const judges = pairs.filter((_, i) => i % every === 0);
  let best: Line | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [a, b] of couples(pairs)) {
    if (a.x === b.x) continue;
    const scale = (a.y - b.y) / (a.x - b.x);
    // Two noisy pairs may say the opposite of what all others say.
    if (!(scale > 0)) continue;
    const line = { scale, shift: a.y - scale * a.x };
    // With few pairs the median leaves the two out, which fit themselves.
    const others = pairs.length < 20 ? pairs.filter((pair) => pair !== a && pair !== b) : judges;
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
    const limit = huberK * Math.max(1e-6, spreadOf(errors));
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
