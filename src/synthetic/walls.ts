import type { Vec } from './scene.ts';

/** A part of the floor, metres. */
export interface Rectangle {
  readonly x0: number;
  readonly z0: number;
  readonly x1: number;
  readonly z1: number;
}

/** Walls in turn: z = 0, x = width, z = depth, x = 0; `right` runs along the wall. */
export function wallFrame(
  [w, , d]: Vec,
  wall: number,
): { origin: Vec; right: Vec; inward: Vec; yaw: number } {
  if (wall === 0) return { origin: [0, 0, 0], right: [1, 0, 0], inward: [0, 0, 1], yaw: 0 };
  if (wall === 1)
    return { origin: [w, 0, 0], right: [0, 0, 1], inward: [-1, 0, 0], yaw: -Math.PI / 2 };
  if (wall === 2) return { origin: [w, 0, d], right: [-1, 0, 0], inward: [0, 0, -1], yaw: Math.PI };
  return { origin: [0, 0, d], right: [0, 0, -1], inward: [1, 0, 0], yaw: Math.PI / 2 };
}

/** What something `width` wide and `depth` deep takes of the floor before a wall. */
export function footprint(
  size: Vec,
  wall: number,
  at: number,
  width: number,
  depth: number,
): Rectangle {
  const { origin, right, inward } = wallFrame(size, wall);
  const corner = (a: number, b: number) => [
    origin[0] + right[0] * a + inward[0] * b,
    origin[2] + right[2] * a + inward[2] * b,
  ];
  const [xa, za] = corner(at - width / 2, 0) as [number, number];
  const [xb, zb] = corner(at + width / 2, depth) as [number, number];
  return {
    x0: Math.min(xa, xb),
    x1: Math.max(xa, xb),
    z0: Math.min(za, zb),
    z1: Math.max(za, zb),
  };
}
