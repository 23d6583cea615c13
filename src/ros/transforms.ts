import { z } from 'zod';
import { type Quaternion, rosTime, type TransformStamped, type Vector3 } from './messages.ts';

/** A name of a coordinate frame, as TF2 takes it. */
const frameName = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/, {
      error: 'must be letters, digits, "_", "-", "." and "/", and not begin with "/"',
    })
    .max(200);

/** Options that name the coordinate frames of the camera. */
export const frameOptions = {
  'frame-id': frameName()
    .default('camera_optical_frame')
    .describe('coordinate frame of pictures, depth and points: x right, y down, z forward'),
  mount: z
    .strictObject({
      parent: frameName()
        .default('base_link')
        .describe('coordinate frame that the camera is fixed to'),
      frame: frameName()
        .default('camera_link')
        .describe('coordinate frame of the camera: x forward, y left, z up'),
      position: z
        .tuple([z.number(), z.number(), z.number()])
        .default([0, 0, 0])
        .describe('of the camera in the parent: x, y and z, metres'),
      rotation: z
        .tuple([z.number(), z.number(), z.number()])
        .default([0, 0, 0])
        .describe('of the camera in the parent: roll, pitch and yaw, degrees'),
    })
    .optional()
    .describe('where the camera is; with it /tf_static is written'),
} as const;

export interface CameraMount {
  readonly parent: string;
  readonly frame: string;
  readonly position: readonly [number, number, number];
  /** Roll, pitch and yaw, degrees. */
  readonly rotation: readonly [number, number, number];
}

/** From the axes of a camera (x forward) to those of its pictures (z forward), REP 103. */
const optical: Quaternion = { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };

/**
 * The transforms of `/tf_static`: parent → camera → pictures.
 *
 * @param at stamp, nanoseconds since the Unix epoch
 */
export function mountTransforms(
  { parent, frame, position, rotation }: CameraMount,
  opticalFrame: string,
  at: bigint,
): TransformStamped[] {
  const [x, y, z] = position;
  return [
    transform(parent, frame, { x, y, z }, quaternionOf(rotation), at),
    transform(frame, opticalFrame, { x: 0, y: 0, z: 0 }, optical, at),
  ];
}

function transform(
  parent: string,
  child: string,
  translation: Vector3,
  rotation: Quaternion,
  at: bigint,
): TransformStamped {
  return {
    header: { stamp: rosTime(at), frame_id: parent },
    child_frame_id: child,
    transform: { translation, rotation },
  };
}

/** Rotation about the fixed axes x (roll), y (pitch) and z (yaw), in this order; degrees. */
function quaternionOf(degrees: readonly [number, number, number]): Quaternion {
  const [roll, pitch, yaw] = degrees.map((angle) => (angle * Math.PI) / 360) as [
    number,
    number,
    number,
  ];
  const [sr, cr] = [Math.sin(roll), Math.cos(roll)];
  const [sp, cp] = [Math.sin(pitch), Math.cos(pitch)];
  const [sy, cy] = [Math.sin(yaw), Math.cos(yaw)];
  return {
    x: sr * cp * cy - cr * sp * sy,
    y: cr * sp * cy + sr * cp * sy,
    z: cr * cp * sy - sr * sp * cy,
    w: cr * cp * cy + sr * sp * sy,
  };
}
