import { isValidDepth, isValidDepthBits } from '../core/valid-depth.ts';

/**
 * Median of each pixel over `frames`, among its valid values; 0 if there is
 * none. The default window of five has a branchless path of its own, several times faster than the
 * general one.
 */
export function temporalMedian(frames: readonly Float32Array[], out: Float32Array): void {
  if (frames.length === 5) {
    medianOfFive(frames, out);
    return;
  }
  const sorted = new Float32Array(frames.length);
  for (let i = 0; i < out.length; i++) out[i] = medianAt(frames, i, sorted);
}

type Five = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Positive floats have the order of their bits read as integers, which compare without branches. */
function medianOfFive(frames: readonly Float32Array[], out: Float32Array): void {
  const [as, bs, cs, ds, es] = frames.map(bits) as unknown as Five;
  const result = bits(out);
  const sorted = new Float32Array(5);
  for (let i = 0; i < result.length; i++) {
    const a = as[i] as number;
    const b = bs[i] as number;
    const c = cs[i] as number;
    const d = ds[i] as number;
    const e = es[i] as number;
    if (
      !(
        isValidDepthBits(a) &&
        isValidDepthBits(b) &&
        isValidDepthBits(c) &&
        isValidDepthBits(d) &&
        isValidDepthBits(e)
      )
    ) {
      out[i] = medianAt(frames, i, sorted);
      continue;
    }
    const low1 = lesser(a, b);
    const low2 = lesser(c, d);
    // The least of the four and the greatest cannot be the median: it is that of f, g and e.
    const f = greater(low1, low2);
    const g = lesser(greater(a, b), greater(c, d));
    result[i] = greater(lesser(e, f), lesser(greater(e, f), g));
  }
}

function bits(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

function lesser(a: number, b: number): number {
  return b + ((a - b) & ((a - b) >> 31));
}

function greater(a: number, b: number): number {
  return a - ((a - b) & ((a - b) >> 31));
}

/** Median of the valid values of pixel `i`, by insertion into `sorted`. */
function medianAt(frames: readonly Float32Array[], i: number, sorted: Float32Array): number {
  let n = 0;
  for (const frame of frames) {
    const value = frame[i] as number;
    if (!isValidDepth(value)) continue;
    let at = n++;
    for (; at > 0 && (sorted[at - 1] as number) > value; at--)
      sorted[at] = sorted[at - 1] as number;
    sorted[at] = value;
  }
  if (n === 0) return 0;
  const middle = n >> 1;
  return n % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
