import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { cos, sin } from './random.ts';
import { add, scale, type Vec } from './scene.ts';

/** A pinhole camera: its axes in the room, and its intrinsics (pixel centres at whole numbers). */
export interface Camera {
  readonly position: Vec;
  readonly right: Vec;
  readonly down: Vec;
  readonly forward: Vec;
  readonly intrinsics: Intrinsics;
}

/** Where a camera is and looks: angles in radians, pitch above the horizon positive. */
export interface Pose {
  readonly position: Vec;
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
}

/**
 * Intrinsics of a view of `aspect` (width over height of what is seen) in a picture of `size`;
 * pixels are not square where the two differ.
 *
 * @param fieldOfView horizontal, degrees
 */
export function viewIntrinsics(
  fieldOfView: number,
  aspect: number,
  { width, height }: Size,
): Intrinsics {
  const half = (fieldOfView * Math.PI) / 360;
  const tangent = sin(half) / cos(half);
  return {
    fx: width / 2 / tangent,
    fy: (height / 2) * (aspect / tangent),
    cx: (width - 1) / 2,
    cy: (height - 1) / 2,
  };
}

/** The camera moved along its own right, metres: the right eye of a rectified pair. */
export function rightEye(left: Camera, baseline: number): Camera {
  return { ...left, position: add(left.position, scale(left.right, baseline)) };
}

/** Yaw 0 looks along +z, and turns towards +x. */
export function makeCamera({ position, yaw, pitch, roll }: Pose, intrinsics: Intrinsics): Camera {
  const [cy, sy, cp, sp] = [cos(yaw), sin(yaw), cos(pitch), sin(pitch)];
  const [cr, sr] = [cos(roll), sin(roll)];
  const forward: Vec = [sy * cp, sp, cy * cp];
  const level: Vec = [cy, 0, -sy];
  const below: Vec = [sy * sp, -cp, cy * sp];
  const right: Vec = [
    level[0] * cr + below[0] * sr,
    level[1] * cr + below[1] * sr,
    level[2] * cr + below[2] * sr,
  ];
  const down: Vec = [
    below[0] * cr - level[0] * sr,
    below[1] * cr - level[1] * sr,
    below[2] * cr - level[2] * sr,
  ];
  return { position, right, down, forward, intrinsics };
}
