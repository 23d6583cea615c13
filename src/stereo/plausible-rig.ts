import type { Size } from '../core/size.ts';
import { type Matrix, project, type Rig, type RigCamera } from './camera-model.ts';
import { apply, multiply, transposed } from './rectify-rig.ts';

/** Calibrations are written with six digits or more. */
const roundingError = 0.01;
/** Of the option `baseline`, too, metres. */
const largestBaseline = 10;
/** Less of the picture than this is of no use; a fisheye may lose a good part. */
const leastSeen = 0.1;
const gridSteps = 12;

/** @throws Error if the matrix is no rotation */
export function requireRotation(name: string, rotation: Matrix): Matrix {
  const square = multiply(rotation, transposed(rotation));
  const isOrthogonal = square.every(
    (value, i) => Math.abs(value - (i % 4 === 0 ? 1 : 0)) < roundingError,
  );
  if (isOrthogonal && determinant(rotation) > 0) return rotation;
  throw new Error(`${name} is no rotation: its rows must be at right angles, and of length 1`);
}

/**
 * Refuses a calibration of which only nonsense would follow.
 *
 * @throws Error that says what is wrong
 */
export function requirePlausible({ left, right, baseline, size }: Rig): void {
  if (!(baseline <= largestBaseline))
    throw new Error(
      `the baseline is ${round(baseline)} m; set "calibration-unit", metres per unit of the file: 0.001 for millimetres`,
    );
  if (!size) return;
  for (const [side, camera] of [['left', left] as const, ['right', right] as const]) {
    if (seen(camera, size) >= leastSeen) continue;
    throw new Error(
      `almost nothing of the ${side} picture is left when it is rectified; check the distortion, the rotation and the projection of that camera`,
    );
  }
}

/** Share of the rectified picture that shows something of the camera's. */
function seen(camera: RigCamera, { width, height }: Size): number {
  const back = transposed(camera.rotation);
  const { fx, fy, cx, cy } = camera.rectified;
  let inside = 0;
  for (let row = 0; row < gridSteps; row++) {
    for (let column = 0; column < gridSteps; column++) {
      const x = ((column + 0.5) / gridSteps) * (width - 1);
      const y = ((row + 0.5) / gridSteps) * (height - 1);
      const [rx, ry, rz] = apply(back, [(x - cx) / fx, (y - cy) / fy, 1]);
      if (rz <= 0) continue;
      const [u, v] = project(camera, rx / rz, ry / rz);
      if (u >= 0 && v >= 0 && u <= width - 1 && v <= height - 1) inside++;
    }
  }
  return inside / gridSteps ** 2;
}

function determinant(matrix: Matrix): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = matrix;
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

function round(metres: number): number {
  return Number(metres.toPrecision(3));
}
