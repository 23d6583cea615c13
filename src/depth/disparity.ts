import type { DepthMap, StereoFrame } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** What turns disparity into metres: metres = baseline × fx / (disparity + offset). */
export interface StereoGeometry {
  /** Pixels of the picture that disparity is measured in. */
  readonly fx: number;
  /** Metres. */
  readonly baseline: number;
  /** Principal point of the right picture minus that of the left, pixels. */
  readonly offset: number;
}

/** Nothing if the frame lacks its baseline or its intrinsics. */
export function stereoGeometry(frame: StereoFrame): StereoGeometry | undefined {
  const { intrinsics, baseline, offset = 0 } = frame;
  if (!intrinsics || baseline === undefined) return undefined;
  return { fx: intrinsics.fx, baseline, offset };
}

/** Whether a disparity says where a point is: finite and above 0. */
export const isValidDisparity = isValidDepth;

/** Depth in metres of disparity in pixels, the same either way; 0 where there is none. */
export function swapDisparity(
  values: Float32Array,
  { fx, baseline, offset }: StereoGeometry,
  to: 'depth' | 'disparity',
): Float32Array {
  const out = new Float32Array(values.length);
  const [before, after] = to === 'depth' ? [offset, 0] : [0, -offset];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!isValidDepth(value)) continue;
    const swapped = (baseline * fx) / (value + before) + after;
    if (swapped > 0 && Number.isFinite(swapped)) out[i] = swapped;
  }
  return out;
}

/** Steps of a pixel in a 16-bit disparity picture, as KITTI writes them. */
export const disparitySteps = 256;

/** Disparity in 1/256 pixel, 0 where there is none. */
export function toSteps({ data }: Pick<DepthMap, 'data'>): Uint16Array {
  return Uint16Array.from(data, (pixels) =>
    isValidDisparity(pixels) ? Math.min(65_535, Math.max(1, pixels * disparitySteps + 0.5)) : 0,
  );
}
