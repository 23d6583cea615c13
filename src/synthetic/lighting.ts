import { Occluders } from './occluders.ts';
import { cos, sin } from './random.ts';
import {
  add,
  cross,
  dot,
  type Face,
  type Light,
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
  const samples = scene.lights.flatMap(sampleLight);
  for (const face of scene.faces)
    if (face.material.glow === 0) bakeFace(face, scene, occluders, samples);
}

function sampleLight({ corner, u, v, normal, power }: Light): Sample[] {
  const n = 3;
  return Array.from({ length: n * n }, (_, i) => ({
    at: add(corner, add(scale(u, ((i % n) + 0.5) / n), scale(v, (Math.floor(i / n) + 0.5) / n))),
    normal,
    power: scale(power, 1 / (n * n)),
  }));
}

function bakeFace(
  face: Face,
  scene: Scene,
  occluders: Occluders,
  samples: readonly Sample[],
): void {
  const { corner, u, v, nodesU, nodesV, triangle, normals, light } = face;
  for (let j = 0; j < nodesV; j++) {
    for (let i = 0; i < nodesU; i++) {
      // A little inside, so that a node does not lie in what stands at the edge.
      const inset = triangle ? 0.1 : 0.02;
      const s = inset + (1 - 2 * inset) * (i / (nodesU - 1)) * (triangle && j ? 0.5 : 1);
      const t = inset + (1 - 2 * inset) * (j / (nodesV - 1)) * (triangle && i ? 0.5 : 1);
      const normal = normals ? normals[j ? 2 : i ? 1 : 0]! : face.normal;
      const at = add(add(corner, add(scale(u, s), scale(v, t))), scale(normal, 0.012));
      const value = irradiance(at, normal, scene, occluders, samples);
      light.set(value, (j * nodesU + i) * 3);
    }
  }
  // A triangle's fourth node only continues the plane of the other three.
  if (triangle)
    for (let c = 0; c < 3; c++) light[9 + c] = light[3 + c]! + light[6 + c]! - light[c]!;
}

function irradiance(
  at: Vec,
  normal: Vec,
  scene: Scene,
  occluders: Occluders,
  samples: readonly Sample[],
): Vec {
  const open = openness(at, normal, scene.size, occluders);
  // The floor sends less light up than ceiling and walls send down.
  const sky = open * (0.85 + 0.15 * normal[1]);
  let [r, g, b] = scale(scene.ambient, sky);
  for (const sample of samples) {
    const to = subtract(sample.at, at);
    const d2 = dot(to, to);
    const distance = Math.sqrt(d2);
    const direction = scale(to, 1 / distance);
    const facing = dot(direction, normal);
    if (facing <= 0) continue;
    const emitted = sample.normal ? -dot(direction, sample.normal) : 1;
    if (emitted <= 0) continue;
    if (occluders.distance(at, direction, distance - 0.05, true) < distance - 0.05) continue;
    const k = (facing * emitted) / (d2 + 0.15);
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
