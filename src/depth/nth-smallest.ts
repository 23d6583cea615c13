/**
 * The value that would stand at `n` if the first `length` values were sorted (quickselect, Hoare 1961).
 * Reorders them.
 *
 * @param values without NaN
 * @param n from 0 to `length` − 1
 */
export function nthSmallest(values: Float32Array, length: number, n: number): number {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const kept = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = kept;
    }
    if (n <= j) high = j;
    else if (n >= i) low = i;
    else break;
  }
  return values[n] as number;
}
