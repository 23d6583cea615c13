import { cos, sin } from './random.ts';
import {
  add,
  cross,
  dot,
  type Face,
  length,
  type Material,
  makeFace,
  type Obstacle,
  Placement,
  type Scene,
  type Solid,
  scale,
  subtract,
  unit,
  type Vec,
} from './scene.ts';

type Part =
  | { kind: 'box'; from: Vec; to: Vec; material: Material }
  | { kind: 'column'; base: Vec; height: number; bottom: number; top: number; material: Material }
  | { kind: 'ball'; centre: Vec; radius: number; squash: number; material: Material };

/**
 * A piece of furniture in its own coordinates: the floor below its middle is the origin, its
 * front looks along +z.
 */
export class Piece {
  readonly width: number;
  readonly depth: number;
  readonly #parts: Part[] = [];

  constructor(width: number, depth: number) {
    this.width = width;
    this.depth = depth;
  }

  box(x0: number, y0: number, z0: number, x1: number, y1: number, z1: number, material: Material) {
    this.#parts.push({ kind: 'box', from: [x0, y0, z0], to: [x1, y1, z1], material });
    return this;
  }

  /** A cylinder, or a cone's part, that stands at `x`, `z`. */
  column(
    x: number,
    y: number,
    z: number,
    height: number,
    radius: number,
    material: Material,
    top = radius,
  ) {
    this.#parts.push({ kind: 'column', base: [x, y, z], height, bottom: radius, top, material });
    return this;
  }

  ball(x: number, y: number, z: number, radius: number, material: Material, squash = 1) {
    this.#parts.push({ kind: 'ball', centre: [x, y, z], radius, squash, material });
    return this;
  }

  /** Puts everything that `other` has on this piece, moved. */
  carry(other: Piece, x: number, y: number, z: number) {
    for (const part of other.#parts) {
      const by: Vec = [x, y, z];
      if (part.kind === 'box')
        this.#parts.push({ ...part, from: add(part.from, by), to: add(part.to, by) });
      else if (part.kind === 'column') this.#parts.push({ ...part, base: add(part.base, by) });
      else this.#parts.push({ ...part, centre: add(part.centre, by) });
    }
    return this;
  }

  /** Adds the piece to a scene at `at`, turned by `yaw` radians. */
  place(scene: Scene, at: Vec, yaw: number): void {
    const placement = new Placement(at, yaw);
    const solids: Solid[] = [];
    for (const part of this.#parts) {
      if (part.kind === 'box') scene.faces.push(...boxFaces(part, placement));
      else if (part.kind === 'column') scene.faces.push(...columnFaces(part, placement));
      else scene.faces.push(...ballFaces(part, placement));
      // What shines is a lamp: it must not stand in its own light. Thin trim has no shadow to see.
      if (part.material.glow === 0 && !isTrim(part)) solids.push(solidOf(part, placement));
    }
    if (solids.length > 0) scene.obstacles.push(around(solids));
  }
}

function isTrim(part: Part): boolean {
  if (part.kind !== 'box') return false;
  const [a, b] = subtract(part.to, part.from).toSorted((p, q) => p - q) as [number, number];
  return a < 0.03 && b < 0.3;
}

function solidOf(part: Part, place: Placement): Solid {
  const turned = { cos: place.cos, sin: place.sin };
  if (part.kind === 'ball') {
    const ball = part.squash === 1;
    const r = part.radius * (ball ? 1 : 0.57);
    return { centre: place.point(part.centre), half: [r, r * part.squash, r], ...turned, ball };
  }
  if (part.kind === 'column') {
    const { base, height, bottom, top } = part;
    // The square that fits into the circle: a larger one would shade its own surface.
    const r = 0.34 * (bottom + top);
    return {
      centre: place.point(add(base, [0, height / 2, 0])),
      half: [r, height / 2, r],
      ...turned,
      ball: false,
    };
  }
  const half = scale(subtract(part.to, part.from), 0.5);
  return { centre: place.point(add(part.from, half)), half, ...turned, ball: false };
}

function around(solids: readonly Solid[]): Obstacle {
  let sum: Vec = [0, 0, 0];
  for (const { centre } of solids) sum = add(sum, centre);
  const centre = scale(sum, 1 / solids.length);
  const radius = Math.max(
    ...solids.map((s) => length(subtract(s.centre, centre)) + length(s.half)),
  );
  return { centre, radius, solids };
}

function boxFaces({ from, to, material }: Part & { kind: 'box' }, place: Placement): Face[] {
  const [w, h, d] = subtract(to, from);
  const [x0, y0, z0] = from;
  const [x1, y1, z1] = to;
  const sides: { corner: Vec; u: Vec; v: Vec; normal: Vec }[] = [
    { corner: [x0, y1, z1], u: [w, 0, 0], v: [0, -h, 0], normal: [0, 0, 1] },
    { corner: [x1, y1, z0], u: [-w, 0, 0], v: [0, -h, 0], normal: [0, 0, -1] },
    { corner: [x1, y1, z1], u: [0, 0, -d], v: [0, -h, 0], normal: [1, 0, 0] },
    { corner: [x0, y1, z0], u: [0, 0, d], v: [0, -h, 0], normal: [-1, 0, 0] },
    { corner: [x0, y1, z0], u: [w, 0, 0], v: [0, 0, d], normal: [0, 1, 0] },
    { corner: [x0, y0, z0], u: [w, 0, 0], v: [0, 0, d], normal: [0, -1, 0] },
  ];
  return sides
    .filter(({ normal }) => !(normal[1] < 0 && place.origin[1] + y0 < 0.01))
    .map(({ corner, u, v, normal }) =>
      makeFace({
        corner: place.point(corner),
        u: place.turn(u),
        v: place.turn(v),
        normal: place.turn(normal),
        material,
        spacing: 0.12,
      }),
    );
}

type Mesh = (i: number, j: number) => { at: Vec; normal: Vec };

/** Triangles of a grid of points, two for each cell; cells that shrink to a point have one. */
function mesh(
  columns: number,
  rows: number,
  point: Mesh,
  material: Material,
  place: Placement,
): Face[] {
  const faces: Face[] = [];
  const triangle = (...corners: { at: Vec; normal: Vec }[]) => {
    const [a, b, c] = corners.map(({ at }) => place.point(at)) as [Vec, Vec, Vec];
    const normals = corners.map(({ normal }) => place.turn(normal)) as [Vec, Vec, Vec];
    const [u, v] = [subtract(b, a), subtract(c, a)];
    const across = cross(u, v);
    if (length(across) < 1e-9) return;
    const flat = unit(across);
    const normal = dot(flat, normals[0]) + dot(flat, normals[1]) < 0 ? scale(flat, -1) : flat;
    faces.push(
      makeFace({ corner: a, u, v, normal, normals, material, triangle: true, spacing: 1 }),
    );
  };
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const [a, b] = [point(i, j), point(i + 1, j)];
      const [c, d] = [point(i, j + 1), point(i + 1, j + 1)];
      triangle(a, b, c);
      triangle(b, d, c);
    }
  }
  return faces;
}

function columnFaces(part: Part & { kind: 'column' }, place: Placement): Face[] {
  const { base, height, bottom, top, material } = part;
  const sides = Math.max(bottom, top) < 0.1 ? 10 : 16;
  const round = (i: number): [number, number] => {
    const angle = (2 * Math.PI * (i % sides)) / sides;
    return [cos(angle), sin(angle)];
  };
  const rows = Math.max(1, Math.min(8, Math.round(height / 0.25)));
  const wall: Mesh = (i, j) => {
    const [c, s] = round(i);
    const r = bottom + ((top - bottom) * j) / rows;
    return { at: add(base, [r * c, (height * j) / rows, r * s]), normal: [c, 0, s] };
  };
  const lid =
    (y: number, radius: number, up: number): Mesh =>
    (i, j) => {
      const [c, s] = round(i);
      const r = j === 0 ? radius : 0;
      return { at: add(base, [r * c, y, r * s]), normal: [0, up, 0] };
    };
  return [
    ...mesh(sides, rows, wall, material, place),
    ...mesh(sides, 1, lid(height, top, 1), material, place),
    ...mesh(sides, 1, lid(0, bottom, -1), material, place),
  ];
}

function ballFaces(part: Part & { kind: 'ball' }, place: Placement): Face[] {
  const { centre, radius, squash, material } = part;
  const [columns, rows] = radius < 0.1 ? [12, 6] : [18, 10];
  const point: Mesh = (i, j) => {
    const around = (2 * Math.PI * (i % columns)) / columns;
    const down = (Math.PI * j) / rows;
    // Exactly on the axis at the poles, so that neighbours share that point.
    const ring = j === 0 || j === rows ? 0 : sin(down);
    const normal: Vec = [ring * cos(around), cos(down), ring * sin(around)];
    const offset: Vec = [normal[0] * radius, normal[1] * radius * squash, normal[2] * radius];
    return { at: add(centre, offset), normal };
  };
  return mesh(columns, rows, point, material, place);
}
