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
  return hasOnlyZeroAsInvalid(data) ? data : cleanCopy(data);
}

/** Bits of the largest finite float32; those of valid depth and of 0 are between 0 and this. */
const largest = 0x7f7fffff;

/** By bits, four pixels at a time: this looks at every pixel that is published. */
function hasOnlyZeroAsInvalid(data: Float32Array): boolean {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const inFours = bits.length & ~3;
  for (let i = 0; i < inFours; i += 4) {
    const a = bits[i] as number;
    const b = bits[i + 1] as number;
    const c = bits[i + 2] as number;
    const d = bits[i + 3] as number;
    // Negative if one of them is, or is above the largest.
    const signs = a | b | c | d | (largest - a) | (largest - b) | (largest - c) | (largest - d);
    if (signs < 0) return false;
  }
  return data.subarray(inFours).every((metres) => isValidDepth(metres) || metres === 0);
}
