import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import type { Matrix, RigCamera } from './camera-model.ts';

type Vector = readonly [number, number, number];
type Calibrated = Omit<RigCamera, 'rotation' | 'rectified'>;

export interface Rectification {
  readonly left: Pick<RigCamera, 'rotation' | 'rectified'>;
  readonly right: Pick<RigCamera, 'rotation' | 'rectified'>;
  /** In the unit of the translation. */
  readonly baseline: number;
}

/**
 * Rotations that bring two cameras side by side, by Bouguet's method: each turns half the way to the other,
 * then both so that the line between them is their x axis. Both get one focal length and one principal point,
 * so that equal columns mean infinity.
 *
 * @param rotation 3 × 3: rays of the left camera, as the right one sees them
 * @param translation the left camera's origin, as the right one sees it
 * @param size of the pictures
 */
export function rectifyRig(
  left: Calibrated,
  right: Calibrated,
  rotation: Matrix,
  translation: Vector,
  size: Size,
): Rectification {
  const half = rotationOf(scaled(vectorOf(rotation), -0.5));
  const between = apply(half, translation);
  const axis: Vector = [between[0] > 0 ? 1 : -1, 0, 0];
  const turn = cross(between, axis);
  const sine = norm(turn);
  const angle = Math.acos(Math.min(1, Math.abs(between[0]) / norm(between)));
  const level = rotationOf(sine > 0 ? scaled(turn, angle / sine) : [0, 0, 0]);
  const rotations = [multiply(level, transposed(half)), multiply(level, half)] as const;
  const cameras = [left, right] as const;
  const focal = Math.min(left.intrinsics.fy, right.intrinsics.fy);
  // Where the middle of each picture comes to lie, at that focal length, from the principal point.
  const middles = cameras.map(({ intrinsics }, i) => {
    const [x, y, z] = apply(rotations[i] as Matrix, middleRay(intrinsics, size));
    return [(focal * x) / z, (focal * y) / z] as const;
  });
  const mean = (axis: 0 | 1) => middles.reduce((sum, middle) => sum + middle[axis], 0) / 2;
  const rectified: Intrinsics = {
    fx: focal,
    fy: focal,
    cx: (size.width - 1) / 2 - mean(0),
    cy: (size.height - 1) / 2 - mean(1),
  };
  return {
    left: { rotation: rotations[0], rectified },
    right: { rotation: rotations[1], rectified },
    baseline: norm(translation),
  };
}

function middleRay({ fx, fy, cx, cy }: Intrinsics, { width, height }: Size): Vector {
  return [((width - 1) / 2 - cx) / fx, ((height - 1) / 2 - cy) / fy, 1];
}

/** A rotation as axis times angle. */
function vectorOf(r: Matrix): Vector {
  const at = (i: number) => r[i] as number;
  const axis: Vector = [at(7) - at(5), at(2) - at(6), at(3) - at(1)];
  const sine = norm(axis) / 2;
  const angle = Math.atan2(sine, (at(0) + at(4) + at(8) - 1) / 2);
  return sine < 1e-12 ? [0, 0, 0] : scaled(axis, angle / (2 * sine));
}

/** The rotation of axis times angle: Rodrigues' formula. */
export function rotationOf(vector: Vector): Matrix {
  const angle = norm(vector);
  if (angle < 1e-12) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const [x, y, z] = scaled(vector, 1 / angle);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const k = 1 - c;
  return [
    ...[c + x * x * k, x * y * k - z * s, x * z * k + y * s],
    ...[y * x * k + z * s, c + y * y * k, y * z * k - x * s],
    ...[z * x * k - y * s, z * y * k + x * s, c + z * z * k],
  ];
}

export function apply(m: Matrix, [x, y, z]: Vector): Vector {
  const row = (i: number) =>
    (m[i] as number) * x + (m[i + 1] as number) * y + (m[i + 2] as number) * z;
  return [row(0), row(3), row(6)];
}

export function transposed(m: Matrix): Matrix {
  return [0, 3, 6, 1, 4, 7, 2, 5, 8].map((i) => m[i] as number);
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  return Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3) * 3, i % 3];
    return [0, 1, 2].reduce(
      (sum, k) => sum + (a[row + k] as number) * (b[3 * k + column] as number),
      0,
    );
  });
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function scaled([x, y, z]: Vector, k: number): Vector {
  return [x * k, y * k, z * k];
}

function norm([x, y, z]: Vector): number {
  return Math.hypot(x, y, z);
}
