import { lattice, Random, sin } from './random.ts';

/** A tileable grey pattern with its mip levels; a material's ramp turns grey into colour. */
export interface Texture {
  /** Width and height of level 0, a power of two. */
  readonly size: number;
  /** uint8, `size >> level` squared. */
  readonly levels: readonly Uint8Array[];
}

type Pattern = (u: number, v: number) => number;

const smoothstep = (t: number) => t * t * (3 - 2 * t);
const clamp01 = (t: number) => Math.min(1, Math.max(0, t));
const fract = (t: number) => t - Math.floor(t);

/** Value noise that repeats every `px` × `py` cells. */
function noise(x: number, y: number, px: number, py: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = smoothstep(x - ix);
  const fy = smoothstep(y - iy);
  const x0 = ((ix % px) + px) % px;
  const y0 = ((iy % py) + py) % py;
  const x1 = (x0 + 1) % px;
  const y1 = (y0 + 1) % py;
  const top = lattice(x0, y0, seed) * (1 - fx) + lattice(x1, y0, seed) * fx;
  const bottom = lattice(x0, y1, seed) * (1 - fx) + lattice(x1, y1, seed) * fx;
  return top * (1 - fy) + bottom * fy;
}

/** Octaves of noise, in [0, 1] around 0.5. */
function fbm(u: number, v: number, px: number, py: number, octaves: number, seed: number): number {
  let sum = 0;
  let weight = 0;
  let amplitude = 1;
  let x = px;
  let y = py;
  for (let i = 0; i < octaves; i++) {
    sum += amplitude * noise(u * x, v * y, x, y, seed + i);
    weight += amplitude;
    amplitude *= 0.55;
    x *= 2;
    y *= 2;
  }
  return sum / weight;
}

/** Distance to the nearest edge of a unit cell. */
const edge = (a: number, b: number) => Math.min(a, 1 - a, b, 1 - b);

function boards(u: number, v: number, across: number): number {
  const row = Math.floor(v * across);
  const shifted = u + lattice(row, 1, 31);
  const column = Math.floor(fract(shifted) * 2);
  const tone = lattice(row, column, 32);
  const grain = fbm(fract(u + tone), v, 3, 96, 3, 33);
  const gap = Math.min(fract(v * across), 1 - fract(v * across)) * 0.7;
  const end = Math.min(fract(shifted * 2), 1 - fract(shifted * 2)) * 8;
  const seam = Math.min(1, Math.min(gap, end) * 18);
  return (0.25 + 0.4 * tone + 0.5 * (grain - 0.4)) * (0.3 + 0.7 * seam);
}

function bricks(u: number, v: number): number {
  const row = Math.floor(v * 8);
  const x = u * 4 + (row % 2) * 0.5;
  const column = ((Math.floor(x) % 4) + 4) % 4;
  const [a, b] = [fract(x), fract(v * 8)];
  const rough = fbm(u, v, 32, 32, 3, 41);
  const inside = edge(a * 1, b) < 0.07 || Math.min(a, 1 - a) < 0.035 ? 0 : 1;
  return inside
    ? 0.12 + 0.45 * lattice(column, row, 42) + 0.3 * (rough - 0.3)
    : 0.88 + 0.2 * (rough - 0.5);
}

function tiles(u: number, v: number): number {
  const [x, y] = [Math.floor(u * 4), Math.floor(v * 4)];
  if (edge(fract(u * 4), fract(v * 4)) < 0.022) return 0.05;
  return 0.55 + 0.2 * lattice(x, y, 51) + 0.35 * (fbm(u, v, 8, 8, 5, 52) - 0.5);
}

function checker(u: number, v: number): number {
  const odd = (Math.floor(u * 4) + Math.floor(v * 4)) % 2;
  if (edge(fract(u * 4), fract(v * 4)) < 0.015) return 0.35;
  return (odd ? 0.85 : 0.12) + 0.2 * (fbm(u, v, 8, 8, 4, 61) - 0.5);
}

function stripes(u: number, v: number): number {
  const band = Math.floor(u * 12);
  const level = [0.2, 0.75, 0.35, 0.9][band % 4]!;
  const line = fract(u * 12) < 0.08 ? -0.2 : 0;
  return level + line + 0.12 * (fbm(u, v, 64, 16, 2, 71) - 0.5);
}

function marble(u: number, v: number): number {
  const warp = fbm(u, v, 4, 4, 5, 81);
  const vein = Math.abs(sin(2 * Math.PI * (u + 2 * v) + 9 * warp));
  return 0.2 + 0.75 * Math.sqrt(vein) + 0.2 * (warp - 0.5);
}

function damask(u: number, v: number): number {
  const x = fract(u * 4 + (Math.floor(v * 4) % 2) * 0.5) - 0.5;
  const y = fract(v * 4) - 0.5;
  const r = Math.abs(x) * 1.4 + Math.abs(y);
  const ring = r < 0.13 || (r > 0.24 && r < 0.32) || (r > 0.44 && r < 0.47);
  return (ring ? 0.8 : 0.3) + 0.14 * (fbm(u, v, 48, 48, 2, 91) - 0.5);
}

function weave(u: number, v: number): number {
  const a = sin(2 * Math.PI * 32 * u) * sin(2 * Math.PI * 32 * v);
  return 0.5 + 0.2 * a + 0.5 * (fbm(u, v, 16, 16, 4, 101) - 0.5);
}

function rug(u: number, v: number): number {
  const border = edge(u, v);
  const pile = 0.12 * (fbm(u, v, 96, 96, 2, 111) - 0.5);
  if (border < 0.02) return 0.9 + pile;
  if (border < 0.09)
    return (Math.floor(u * 40) + Math.floor(v * 40)) % 3 === 0 ? 0.75 + pile : 0.15 + pile;
  if (border < 0.12) return 0.95 + pile;
  const r = Math.abs(u - 0.5) + Math.abs(v - 0.5);
  return 0.15 + 0.7 * fract(r * 5) * (0.5 + 0.5 * sin(40 * u) * sin(40 * v)) + pile;
}

/** A landscape: sky, hills, foreground. For pictures and for what a window shows. */
function landscape(seed: number): Pattern {
  return (u, v) => {
    const clouds = fbm(u, v, 3, 6, 4, seed);
    const far = 0.5 + 0.25 * (fbm(u, 0.1, 4, 1, 3, seed + 7) - 0.5);
    const near = 0.68 + 0.3 * (fbm(u, 0.3, 5, 1, 4, seed + 8) - 0.5);
    if (v > near) return 0.12 + 0.2 * fbm(u, v, 24, 24, 3, seed + 9);
    if (v > far) return 0.36 + 0.12 * fbm(u, v, 12, 12, 3, seed + 10);
    return 0.68 + 0.3 * clouds * (1 - 0.5 * v);
  };
}

/** Overlapping discs and blocks: a poster, a cover. */
function abstractArt(seed: number): Pattern {
  const random = new Random(seed);
  const shapes = Array.from({ length: 9 }, () => ({
    x: random.next(),
    y: random.next(),
    r: random.range(0.06, 0.3),
    round: random.chance(0.5),
    level: random.next(),
  }));
  const ground = random.next();
  return (u, v) => {
    let level = ground;
    for (const s of shapes) {
      const [dx, dy] = [u - s.x, v - s.y];
      const inside = s.round
        ? dx * dx + dy * dy < s.r * s.r
        : Math.max(Math.abs(dx), 2 * Math.abs(dy)) < s.r;
      if (inside) level = s.level;
    }
    return level + 0.08 * (fbm(u, v, 32, 32, 2, seed) - 0.5);
  };
}

function print(u: number, v: number): number {
  const line = fract(v * 24);
  const word = noise(u * 40, Math.floor(v * 24), 40, 24, 131);
  const margin = u < 0.08 || u > 0.92 || v < 0.05 || v > 0.95;
  return !margin && line > 0.35 && word > 0.35 ? 0.15 : 0.9;
}

const patterns = {
  plain: (u, v) => 0.5 + 0.3 * (fbm(u, v, 4, 4, 3, 1) - 0.5),
  plaster: (u, v) =>
    0.5 + 0.5 * (fbm(u, v, 6, 6, 6, 11) - 0.5) + 0.15 * (fbm(u, v, 64, 64, 2, 12) - 0.5),
  boards: (u, v) => boards(u, v, 8),
  wideBoards: (u, v) => boards(u, v, 4),
  grain: (u, v) => {
    const warp = fbm(u, v, 2, 6, 3, 21);
    return 0.5 + 0.09 * sin(2 * Math.PI * 6 * v + 6 * warp) + 0.5 * (fbm(u, v, 4, 64, 3, 22) - 0.5);
  },
  bricks,
  tiles,
  checker,
  stripes,
  marble,
  damask,
  weave,
  carpet: (u, v) =>
    0.5 + 0.9 * (fbm(u, v, 64, 64, 2, 121) - 0.5) + 0.4 * (fbm(u, v, 4, 4, 3, 122) - 0.5),
  leaves: (u, v) => clamp01(2.2 * (fbm(u, v, 10, 10, 3, 125) - 0.3)),
  rug,
  print,
  outside: landscape(141),
  hills: landscape(151),
  poster: abstractArt(161),
  cover: abstractArt(171),
  collage: abstractArt(182),
} satisfies Record<string, Pattern>;

export type PatternName = keyof typeof patterns;

const made = new Map<PatternName, Texture>();

/** The texture of a pattern; made on first use and the same for every seed. */
export function texture(name: PatternName): Texture {
  let found = made.get(name);
  if (!found) {
    found = bake(patterns[name], 256);
    made.set(name, found);
  }
  return found;
}

function bake(pattern: Pattern, size: number): Texture {
  const base = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      base[y * size + x] = Math.round(255 * clamp01(pattern((x + 0.5) / size, (y + 0.5) / size)));
    }
  }
  const levels: Uint8Array[] = [base];
  for (let n = size >> 1; n >= 1; n >>= 1) levels.push(halve(levels.at(-1)!, n));
  return { size, levels };
}

function halve(source: Uint8Array, n: number): Uint8Array {
  const out = new Uint8Array(n * n);
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      const at = 4 * y * n + 2 * x;
      const sum = source[at]! + source[at + 1]! + source[at + 2 * n]! + source[at + 2 * n + 1]!;
      out[y * n + x] = (sum + 2) >> 2;
    }
  }
  return out;
}
