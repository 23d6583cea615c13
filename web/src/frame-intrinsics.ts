import type { Intrinsics } from '../../src/core/frame.ts';
import { intrinsicsOfFieldOfView, scaleIntrinsics } from '../../src/depth/intrinsics.ts';
import type { ShownFrame } from './decoder.ts';

/**
 * The intrinsics of a frame's depth: its own, or those of a camera with the given horizontal field of
 * view, in degrees, whose picture was squeezed into the depth map.
 */
export function frameIntrinsics(
  { header }: Pick<ShownFrame, 'header'>,
  degrees: number,
): Intrinsics | undefined {
  const { depth, aspect } = header;
  if (!depth) return undefined;
  if (depth.intrinsics) return depth.intrinsics;
  const seen = { width: depth.width, height: depth.width / aspect };
  return scaleIntrinsics(intrinsicsOfFieldOfView(degrees, seen), seen, depth);
}
