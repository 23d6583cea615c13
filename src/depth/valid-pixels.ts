import { isValidDepth } from '../core/valid-depth.ts';

/** Smallest and largest valid depth, metres; `undefined` if no pixel is valid. */
export function depthExtent(data: Float32Array): { min: number; max: number } | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (let i = 0; i < data.length; i++) {
    const metres = data[i] as number;
    if (!isValidDepth(metres)) continue;
    if (metres < min) min = metres;
    if (metres > max) max = metres;
  }
  return max > 0 ? { min, max } : undefined;
}

export function allValid(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!isValidDepth(data[i] as number)) return false;
  return true;
}

/** A copy in which every invalid pixel is 0. */
export function cleanCopy(data: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const metres = data[i] as number;
    if (isValidDepth(metres)) out[i] = metres;
  }
  return out;
}

/** The same pixels with 0 as the only invalid value: `data` itself if that holds, else a copy. */
export function invalidAsZero(data: Float32Array): Float32Array {
  for (let i = 0; i < data.length; i++) {
    const metres = data[i] as number;
    if (!isValidDepth(metres) && metres !== 0) return cleanCopy(data);
  }
  return data;
}
