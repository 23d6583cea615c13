import { Occluders } from './occluders.ts';
import { cos, sin } from './random.ts';
import {
  add,
  cross,
  dot,
  type Face,
  type Light,
  length,
  type Scene,
  scale,
  subtract,
  unit,
  type Vec,
} from './scene.ts';

/** How far light from around is looked for, metres. */
const reach = 1.4;

/** Directions over the hemisphere about +z, more of them near the pole (cosine-weighted). */
const hemisphere: readonly Vec[] = Array.from({ length: 14 }, (_, i) => {
  const z2 = 1 - (i + 0.5) / 14;
  const r = Math.sqrt(1 - z2);
  const angle = i * 2.399963229728653;
  return [r * cos(angle), r * sin(angle), Math.sqrt(z2)];
});

interface Sample {
  readonly at: Vec;
  readonly normal: Vec | undefined;
  readonly power: Vec;
}

/**
 * Bakes the light of a scene into its faces: direct light with soft shadows, and light from
 * around, less where the surroundings are close (ambient occlusion).
 */
export function bakeLight(scene: Scene): void {
  const occluders = new Occluders(scene.obstacles);
  const lamps = scene.lights.flatMap(sampleLight);
  const baker: Baker = { scene, occluders, around: occluders, lamps, corners: new Map() };
  for (const face of scene.faces) {
    if (face.material.glow > 0) continue;
    const radius = (length(face.u) + length(face.v)) / 2;
    const centre = add(face.corner, scale(add(face.u, face.v), 0.5));
    // A wall has everything around it; a book does not.
    const around = radius < 1.5 ? occluders.within(centre, radius + reach) : occluders;
    const near = { ...baker, around };
    if (face.normals) bakeCurved(face, face.normals, near);
    else bakeFlat(face, near);
  }
}

interface Baker {
  readonly scene: Scene;
  readonly occluders: Occluders;
  /** The solids near the face that is baked. */
  readonly around: Occluders;
  readonly lamps: readonly Sample[];
  /** Corners of curved surfaces: several triangles share each. */
  readonly corners: Map<string, Vec>;
}

function sampleLight({ corner, u, v, normal, power }: Light): Sample[] {
  // A small lamp throws a shadow that is sharp enough with fewer.
  const n = length(u) * length(v) > 0.3 ? 3 : 2;
  return Array.from({ length: n * n }, (_, i) => ({
    at: add(corner, add(scale(u, ((i % n) + 0.5) / n), scale(v, (Math.floor(i / n) + 0.5) / n))),
    normal,
    power: scale(power, 1 / (n * n)),
  }));
}

function bakeFlat(face: Face, baker: Baker): void {
  const { corner, u, v, nodesU, nodesV, normal, light } = face;
  // A little inside, so that a node does not lie in what stands at the edge.
  const inside = (i: number, nodes: number) => 0.02 + 0.96 * (i / (nodes - 1));
  for (let j = 0; j < nodesV; j++) {
    for (let i = 0; i < nodesU; i++) {
      const place = add(scale(u, inside(i, nodesU)), scale(v, inside(j, nodesV)));
      light.set(irradiance(add(corner, place), normal, baker), (j * nodesU + i) * 3);
    }
  }
}

function bakeCurved({ corner, u, v, light }: Face, normals: readonly Vec[], baker: Baker): void {
  for (const [i, at] of [corner, add(corner, u), add(corner, v)].entries()) {
    const normal = normals[i]!;
    const key = [...at, ...normal].map((x) => Math.round(x * 1e4)).join();
    let value = baker.corners.get(key);
    if (!value) {
      value = irradiance(at, normal, baker);
      baker.corners.set(key, value);
    }
    light.set(value, i * 3);
  }
  // The fourth node only continues the plane of the other three.
  for (let c = 0; c < 3; c++) light[9 + c] = light[3 + c]! + light[6 + c]! - light[c]!;
}

/** Linear RGB light at a point of a surface. */
function irradiance(surface: Vec, normal: Vec, { scene, occluders, around, lamps }: Baker): Vec {
  const at = add(surface, scale(normal, 0.012));
  const open = openness(at, normal, scene.size, around);
  // The floor sends less light up than ceiling and walls send down.
  const sky = open * (0.85 + 0.15 * normal[1]);
  let [r, g, b] = scale(scene.ambient, sky);
  for (const sample of lamps) {
    const to = subtract(sample.at, at);
    const d2 = dot(to, to);
    const distance = Math.sqrt(d2);
    const direction = scale(to, 1 / distance);
    const facing = dot(direction, normal);
    if (facing <= 0) continue;
    const emitted = sample.normal ? -dot(direction, sample.normal) : 1;
    if (emitted <= 0) continue;
    const k = (facing * emitted) / (d2 + 0.15);
    // Too weak to be seen, so its shadow need not be looked for.
    if (sample.power[1] * k < 0.01 * g) continue;
    if (occluders.distance(at, direction, distance - 0.05, true) < distance - 0.05) continue;
    r += sample.power[0] * k;
    g += sample.power[1] * k;
    b += sample.power[2] * k;
  }
  return [r, g, b];
}

/** Share of the hemisphere that is free, with near things counting more. */
function openness(at: Vec, normal: Vec, size: Vec, occluders: Occluders): number {
  const side = unit(cross(normal, Math.abs(normal[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]));
  const other = cross(normal, side);
  let sum = 0;
  for (const [x, y, z] of hemisphere) {
    const direction = add(scale(side, x), add(scale(other, y), scale(normal, z)));
    const wall = Math.min(reach, distanceToWall(at, direction, size));
    const t = occluders.distance(at, direction, wall);
    sum += 0.25 + 0.75 * (t / reach);
  }
  return sum / hemisphere.length;
}

/** Distance along a ray from inside the room to its shell. */
export function distanceToWall(at: Vec, direction: Vec, size: Vec): number {
  let nearest = Infinity;
  for (let axis = 0; axis < 3; axis++) {
    const by = direction[axis]!;
    if (by > 1e-9) nearest = Math.min(nearest, (size[axis]! - at[axis]!) / by);
    else if (by < -1e-9) nearest = Math.min(nearest, -at[axis]! / by);
  }
  return Math.max(0, nearest);
}
