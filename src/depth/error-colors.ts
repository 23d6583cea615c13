import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { colormap } from './colormap.ts';

const table = colormap('inferno');
/** The first colours of the map are nearly black, which is the colour of invalid pixels. */
const first = 40;

/**
 * |estimate − truth| / truth as RGB, `height × width × 3` bytes of the truth's size: dark violet
 * where both agree, bright yellow from `max` on. Black where either is invalid. The estimate may
 * have another resolution; its nearest pixel counts.
 *
 * @param max relative error with the last colour
 */
export function colorizeError(estimate: DepthMap, truth: DepthMap, max: number): Uint8Array {
  const out = new Uint8Array(truth.data.length * 3);
  const sx = estimate.width / truth.width;
  const sy = estimate.height / truth.height;
  for (let y = 0, o = 0; y < truth.height; y++) {
    const row = Math.floor((y + 0.5) * sy) * estimate.width;
    for (let x = 0; x < truth.width; x++, o += 3) {
      const t = truth.data[y * truth.width + x] as number;
      const e = estimate.data[row + Math.floor((x + 0.5) * sx)] as number;
      if (!isValidDepth(t) || !isValidDepth(e)) continue;
      const at = levelOf(Math.min(1, Math.abs(e - t) / t / max)) * 3;
      out[o] = table[at] as number;
      out[o + 1] = table[at + 1] as number;
      out[o + 2] = table[at + 2] as number;
    }
  }
  return out;
}

/** The colour of an error given as a share of the largest, 0 to 1: `[r, g, b]`. */
export function errorColor(share: number): readonly [number, number, number] {
  const at = levelOf(share) * 3;
  return [table[at], table[at + 1], table[at + 2]] as [number, number, number];
}

function levelOf(share: number): number {
  return Math.round(first + share * (255 - first));
}
