import { cos, sin } from './random.ts';
import { type PatternName, type Texture, texture } from './textures.ts';

/** x right, y up, z: metres. */
export type Vec = readonly [number, number, number];
/** Red, green and blue as displayed, 0 to 1. */
export type Colour = readonly [number, number, number];

export interface Material {
  readonly texture: Texture;
  /** 256 × RGB, linear light. */
  readonly ramp: Float32Array;
  /** Metres that one repetition of the texture covers; 0: once over each face. */
  readonly tile: number;
  /** Own light; 0 for all but lamps, screens and windows. */
  readonly glow: number;
}

/** A flat convex face: a parallelogram of corner, `u` and `v`, or the triangle of half of it. */
export interface Face {
  readonly corner: Vec;
  readonly u: Vec;
  readonly v: Vec;
  readonly triangle: boolean;
  /** Unit vector out of the solid. */
  readonly normal: Vec;
  /** Of a curved surface: normals at the corner, at its `u` end and at its `v` end. */
  readonly normals?: readonly [Vec, Vec, Vec];
  readonly material: Material;
  /** Texture repetitions along `u` and `v`. */
  readonly repeatU: number;
  readonly repeatV: number;
  /** Nodes of baked light along `u` and `v`, ≥ 2. */
  readonly nodesU: number;
  readonly nodesV: number;
  /** Linear RGB irradiance at the nodes, `nodesV × nodesU × 3`. */
  readonly light: Float32Array;
}

/** What stops light: a box turned about the vertical, or a ball. */
export interface Solid {
  readonly centre: Vec;
  readonly half: Vec;
  readonly cos: number;
  readonly sin: number;
  readonly ball: boolean;
}

/** Solids that stand together, with a sphere around them. */
export interface Obstacle {
  readonly centre: Vec;
  readonly radius: number;
  readonly solids: readonly Solid[];
}

/** A rectangle that shines from its front, or, without a normal, to all sides. */
export interface Light {
  readonly corner: Vec;
  readonly u: Vec;
  readonly v: Vec;
  readonly normal?: Vec;
  /** Linear RGB power. */
  readonly power: Vec;
}

export interface Scene {
  readonly size: Vec;
  readonly faces: Face[];
  readonly obstacles: Obstacle[];
  readonly lights: Light[];
  /** Linear RGB light that reaches every point that sees the room. */
  readonly ambient: Vec;
}

export const add = (a: Vec, b: Vec): Vec => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec, b: Vec): Vec => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec, k: number): Vec => [a[0] * k, a[1] * k, a[2] * k];
export const dot = (a: Vec, b: Vec) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec, b: Vec): Vec => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vec) => Math.sqrt(dot(a, a));
export const unit = (a: Vec): Vec => scale(a, 1 / length(a));

/** A pattern painted with colours: dark parts get the first, bright parts the last. */
export function material(
  pattern: PatternName,
  colours: readonly Colour[],
  { tile = 1, glow = 0 } = {},
): Material {
  const ramp = new Float32Array(256 * 3);
  const steps = Math.max(1, colours.length - 1);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * steps;
    const k = Math.min(Math.floor(at), steps - 1);
    const [a, b] = [colours[k]!, colours[k + 1] ?? colours[k]!];
    for (let c = 0; c < 3; c++) {
      const shown = a[c]! + (b[c]! - a[c]!) * (at - k);
      ramp[i * 3 + c] = shown * shown;
    }
  }
  return { texture: texture(pattern), ramp, tile, glow };
}

interface FaceShape {
  corner: Vec;
  u: Vec;
  v: Vec;
  normal: Vec;
  material: Material;
  triangle?: boolean;
  normals?: readonly [Vec, Vec, Vec];
  /** Metres between nodes of baked light. */
  spacing: number;
}

export function makeFace({ spacing, triangle = false, ...shape }: FaceShape): Face {
  const [lengthU, lengthV] = [length(shape.u), length(shape.v)];
  const nodes = (metres: number) =>
    triangle ? 2 : Math.max(2, Math.min(96, Math.ceil(metres / spacing) + 1));
  const { tile } = shape.material;
  return {
    ...shape,
    triangle,
    repeatU: tile ? lengthU / tile : 1,
    repeatV: tile ? lengthV / tile : 1,
    nodesU: nodes(lengthU),
    nodesV: nodes(lengthV),
    light: new Float32Array(nodes(lengthU) * nodes(lengthV) * 3).fill(1),
  };
}

/** The six inner faces of a room from the origin to `size`. */
export function roomFaces(
  [w, h, d]: Vec,
  walls: readonly Material[],
  floor: Material,
  ceiling: Material,
) {
  const wall = (i: number) => walls[i % walls.length]!;
  const spacing = 0.13;
  const shapes: Omit<FaceShape, 'spacing'>[] = [
    { corner: [0, 0, 0], u: [w, 0, 0], v: [0, 0, d], normal: [0, 1, 0], material: floor },
    { corner: [0, h, 0], u: [w, 0, 0], v: [0, 0, d], normal: [0, -1, 0], material: ceiling },
    { corner: [0, h, 0], u: [w, 0, 0], v: [0, -h, 0], normal: [0, 0, 1], material: wall(0) },
    { corner: [w, h, 0], u: [0, 0, d], v: [0, -h, 0], normal: [-1, 0, 0], material: wall(1) },
    { corner: [w, h, d], u: [-w, 0, 0], v: [0, -h, 0], normal: [0, 0, -1], material: wall(2) },
    { corner: [0, h, d], u: [0, 0, -d], v: [0, -h, 0], normal: [1, 0, 0], material: wall(3) },
  ];
  return shapes.map((shape) => makeFace({ ...shape, spacing }));
}

/** An empty room of evenly lit, untextured walls: for tests and calibration. */
export function emptyRoom(size: Vec, colours: readonly Colour[]): Scene {
  const paint = colours.map((colour) => material('plain', [colour]));
  const faces = roomFaces(size, paint.slice(2), paint[0]!, paint[1]!);
  return { size, faces, obstacles: [], lights: [], ambient: [1, 1, 1] };
}

/** Turns local coordinates about the vertical and moves them. */
export class Placement {
  readonly origin: Vec;
  readonly cos: number;
  readonly sin: number;

  constructor(origin: Vec, yaw: number) {
    this.origin = origin;
    this.cos = cos(yaw);
    this.sin = sin(yaw);
  }

  turn([x, y, z]: Vec): Vec {
    return [x * this.cos + z * this.sin, y, z * this.cos - x * this.sin];
  }

  point(p: Vec): Vec {
    return add(this.origin, this.turn(p));
  }
}
