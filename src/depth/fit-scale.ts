import { type Equation, median, outlierLimit, spreadOf } from './known-depth.ts';

/**
 * How far from its own metres a metric network may be expected to be, before anything is measured:
 * standard deviation of the logarithm of the factor.
 */
const priorSpread = 0.25;

/**
 * The factor `y / x`, as the mean of its logarithm over all pairs that agree with their median; nothing if
 * no output is positive.
 *
 * @param prior the factor that holds without any measurement. The result lies between the two: nearer to it
 *   the more the pairs disagree and the fewer pictures they come from, and the less it is off.
 */
export function fitScale(pairs: readonly Equation[], prior?: number): number | undefined {
  const usable = pairs.filter(({ x }) => x > 0);
  if (usable.length === 0) return undefined;
  const logs = usable.map(({ x, y }) => Math.log(y / x));
  const middle = median(logs);
  const errors = logs.map((log) => log - middle);
  const limit = outlierLimit(errors);
  const agreeing = logs.filter((_, i) => Math.abs(errors[i] as number) <= limit);
  const measured = agreeing.reduce((a, b) => a + b, 0) / agreeing.length;
  if (prior === undefined) return Math.exp(measured);
  const pictures = new Set(usable.map(({ picture }, i) => picture ?? `pair ${i}`)).size;
  const change = measured - Math.log(prior);
  // A network far from its metres has no prior worth the name.
  const expected = Math.max(priorSpread, Math.abs(change)) ** 2;
  const uncertain = spreadOf(errors) ** 2 / pictures;
  return prior * Math.exp((change * expected) / (expected + uncertain));
}
