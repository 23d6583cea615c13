import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';

export const distortionModels = ['plumb_bob', 'rational_polynomial', 'equidistant'] as const;
export type DistortionModel = (typeof distortionModels)[number];

/** 3 × 3, row-major. */
export type Matrix = readonly number[];

/** One camera of a rig, as calibrated. */
export interface RigCamera {
  readonly intrinsics: Intrinsics;
  readonly model: DistortionModel;
  /** In the order of OpenCV: k1 k2 p1 p2 k3 k4 k5 k6, or k1 k2 k3 k4 of `equidistant`. */
  readonly distortion: readonly number[];
  /** Turns rays of the camera into those of the rectified one. */
  readonly rotation: Matrix;
  /** Of the rectified picture, pixels. */
  readonly rectified: Intrinsics;
}

/** Two cameras that were calibrated together. */
export interface Rig {
  /** Pictures that were calibrated, pixels; missing where the file does not say it. */
  readonly size?: Size | undefined;
  readonly left: RigCamera;
  readonly right: RigCamera;
  /** Metres. */
  readonly baseline: number;
}

/** Where a ray (x, y, 1) meets the picture of a camera, lens distortion included. */
export function project(
  { intrinsics: { fx, fy, cx, cy }, model, distortion }: RigCamera,
  x: number,
  y: number,
): readonly [u: number, v: number] {
  const [dx, dy] = model === 'equidistant' ? fisheye(distortion, x, y) : radial(distortion, x, y);
  return [fx * dx + cx, fy * dy + cy];
}

/** Brown and Conrady's model with rational radial terms, as OpenCV's `calib3d` has it. */
function radial(k: readonly number[], x: number, y: number): readonly [number, number] {
  const [k1 = 0, k2 = 0, p1 = 0, p2 = 0, k3 = 0, k4 = 0, k5 = 0, k6 = 0] = k;
  const r2 = x * x + y * y;
  const scale = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)));
  return [
    x * scale + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
    y * scale + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
  ];
}

/** Kannala and Brandt's model, as OpenCV's `fisheye` has it. */
function fisheye(k: readonly number[], x: number, y: number): readonly [number, number] {
  const [k1 = 0, k2 = 0, k3 = 0, k4 = 0] = k;
  const r = Math.hypot(x, y);
  if (r < 1e-9) return [x, y];
  const theta = Math.atan(r);
  const t2 = theta * theta;
  const scale = (theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))) / r;
  return [x * scale, y * scale];
}
