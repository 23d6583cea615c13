/** A measured value: the median of several rounds, and their spread. */
export interface Measured {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(at)] as number) + (sorted[Math.ceil(at)] as number)) / 2;
  return {
    median,
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    rounds: values.length,
  };
}

/**
 * Slope of y over x: the median of the slopes between any two points (Theil, 1950; Sen, 1968), which
 * is robust against the rise and fall of memory with each garbage collection.
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes: number[] = [];
  for (const [i, [x, y]] of points.entries()) {
    for (const [x2, y2] of points.slice(i + 1)) if (x2 !== x) slopes.push((y2 - y) / (x2 - x));
  }
  return slopes.length > 0 ? measured(slopes).median : 0;
}

/** Of values in any order, by the nearest rank; NaN if there are none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}
