import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { type ColormapName, colormap } from './colormap.ts';

export interface ErrorColors {
  readonly colormap: ColormapName;
  /** Relative error that gets the last colour. */
  readonly max: number;
}

/**
 * |estimate − truth| / truth as RGB, `height × width × 3` bytes of the truth's size: the first
 * colour where both agree, the last at `max`. Black where either is invalid. The estimate may have
 * another resolution; its nearest pixel counts.
 */
export function colorizeError(
  estimate: DepthMap,
  truth: DepthMap,
  { colormap: name, max }: ErrorColors,
): Uint8Array {
  const table = colormap(name);
  const out = new Uint8Array(truth.data.length * 3);
  const sx = estimate.width / truth.width;
  const sy = estimate.height / truth.height;
  for (let y = 0, o = 0; y < truth.height; y++) {
    const row = Math.floor((y + 0.5) * sy) * estimate.width;
    for (let x = 0; x < truth.width; x++, o += 3) {
      const t = truth.data[y * truth.width + x] as number;
      const e = estimate.data[row + Math.floor((x + 0.5) * sx)] as number;
      if (!isValidDepth(t) || !isValidDepth(e)) continue;
      const at = 3 * Math.min(255, Math.round((Math.abs(e - t) / t / max) * 255));
      out[o] = table[at] as number;
      out[o + 1] = table[at + 1] as number;
      out[o + 2] = table[at + 2] as number;
    }
  }
  return out;
}
