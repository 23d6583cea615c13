import type { Camera } from './camera.ts';
import { dot, type Face, subtract, type Vec } from './scene.ts';

/** Nothing closer is drawn, metres. */
const near = 0.05;

/** A face as this camera sees it. 1/z and, over z, texture coordinates are linear in the picture. */
export interface View {
  readonly face: Face;
  /** Plane: `normal · ray = plane / z`. */
  readonly normal: Vec;
  readonly plane: number;
  /** `s = z × (ofU · ray) - fromU`, the same for `t`: place on the face, 0 to 1. */
  readonly ofU: Vec;
  readonly ofV: Vec;
  readonly fromU: number;
  readonly fromV: number;
}

function toCamera(v: Vec, { right, down, forward }: Camera): Vec {
  return [dot(v, right), dot(v, down), dot(v, forward)];
}

/** Nothing if the face turns its back to the camera. */
export function viewOf(face: Face, camera: Camera): View | undefined {
  const corner = subtract(face.corner, camera.position);
  const plane = dot(face.normal, corner);
  if (plane > -1e-9) return undefined;
  const { u, v } = face;
  const [uu, uv, vv] = [dot(u, u), dot(u, v), dot(v, v)];
  const scale = 1 / (uu * vv - uv * uv);
  const dual = (a: Vec, aa: number, b: Vec): Vec => [
    (a[0] * aa - b[0] * uv) * scale,
    (a[1] * aa - b[1] * uv) * scale,
    (a[2] * aa - b[2] * uv) * scale,
  ];
  const ofU = dual(u, vv, v);
  const ofV = dual(v, uu, u);
  return {
    face,
    normal: toCamera(face.normal, camera),
    plane,
    ofU: toCamera(ofU, camera),
    ofV: toCamera(ofV, camera),
    fromU: dot(ofU, corner),
    fromV: dot(ofV, corner),
  };
}

/** Corners in camera coordinates, cut at the near plane. */
export function outline({ corner, u, v, triangle }: Face, camera: Camera): Vec[] {
  const a = toCamera(subtract(corner, camera.position), camera);
  const b = toCamera(
    subtract([corner[0] + u[0], corner[1] + u[1], corner[2] + u[2]], camera.position),
    camera,
  );
  const d = toCamera(
    subtract([corner[0] + v[0], corner[1] + v[1], corner[2] + v[2]], camera.position),
    camera,
  );
  const far: Vec = [corner[0] + u[0] + v[0], corner[1] + u[1] + v[1], corner[2] + u[2] + v[2]];
  const corners = triangle
    ? [a, b, d]
    : [a, b, toCamera(subtract(far, camera.position), camera), d];
  if (corners.every((p) => p[2] >= near)) return corners;
  const kept: Vec[] = [];
  for (let i = 0; i < corners.length; i++) {
    const p = corners[i]!;
    const q = corners[(i + 1) % corners.length]!;
    if (p[2] >= near) kept.push(p);
    if (p[2] >= near !== q[2] >= near) kept.push(p[2] >= near ? cut(p, q) : cut(q, p));
  }
  return kept;
}

/** Always from the visible end, so that two faces cut their common edge at the same point. */
function cut(from: Vec, to: Vec): Vec {
  const t = (near - from[2]) / (to[2] - from[2]);
  return [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]), near];
}
