import { alongWalls, anywhere, chair, inTheMiddle, officeChair } from './furniture.ts';
import { bakeLight } from './lighting.ts';
import { hsv, Palette } from './palette.ts';
import { Random } from './random.ts';
import { roomFaces, type Scene, type Vec } from './scene.ts';
import { Piece } from './solids.ts';
import { footprint, type Rectangle, wallFrame } from './walls.ts';

/** A furnished, lit room made from a seed: the same seed gives the same room everywhere. */
export function makeRoom(seed: number): Scene {
  const room = new RoomBuilder(new Random(seed));
  room.furnish();
  bakeLight(room.scene);
  return room.scene;
}

class RoomBuilder {
  readonly scene: Scene;
  readonly #random: Random;
  readonly #palette: Palette;
  readonly #taken: Rectangle[] = [];
  /** Parts of each wall that have a door, a window or a picture: from, to. */
  readonly #hung: [number, number][][] = [[], [], [], []];

  constructor(random: Random) {
    this.#random = random;
    this.#palette = new Palette(random);
    const palette = this.#palette;
    const long = random.range(2.5, 9);
    const size: Vec = [random.range(2.5, Math.min(7, long + 1)), random.range(2.3, 3.4), long];
    const wall = palette.wall();
    const walls = random.chance(0.75) ? [wall] : [wall, wall, palette.wall(), wall];
    const faces = roomFaces(size, walls, palette.floor(), palette.ceiling());
    const k = random.range(0.15, 0.5);
    const ambient: Vec = [k * random.range(0.95, 1.15), k, k * random.range(0.8, 1.1)];
    this.scene = { size, faces, obstacles: [], lights: [], ambient };
  }

  furnish(): void {
    const random = this.#random;
    const [w, , d] = this.scene.size;
    this.#skirting();
    for (let n = random.int(1, 2); n > 0; n--) this.#door();
    for (let n = random.int(0, 3); n > 0; n--) this.#window();
    this.#ceilingLights();
    const wanted = Math.round((w + d) * random.range(0.5, 1));
    for (let i = 0; i < wanted; i++) this.#alongWall();
    if (w * d > 12 && random.chance(0.8)) this.#middle();
    for (let n = Math.round(w * d * random.range(0.05, 0.22)); n > 0; n--) this.#loose();
    for (let n = random.int(1, 7); n > 0; n--) this.#picture();
    if (random.chance(0.5)) this.#floorLamp();
  }

  #skirting(): void {
    const paint = this.#random.chance(0.6) ? this.#palette.lacquer() : this.#palette.wood();
    const height = this.#random.range(0.05, 0.12);
    for (const wall of [0, 1, 2, 3]) {
      const length = this.#lengthOf(wall);
      const piece = new Piece(length, 0.012).box(
        -length / 2,
        0,
        0,
        length / 2,
        height,
        0.012,
        paint,
      );
      this.#onWall(piece, wall, length / 2, 0);
    }
  }

  #door(): void {
    const random = this.#random;
    const [frame, leaf] = [this.#palette.furniture(), this.#palette.furniture()];
    const w = random.range(0.75, 0.95);
    const piece = new Piece(w, 0.1)
      .box(-w / 2 - 0.07, 0, 0, -w / 2, 2.07, 0.04, frame)
      .box(w / 2, 0, 0, w / 2 + 0.07, 2.07, 0.04, frame)
      .box(-w / 2 - 0.07, 2, 0, w / 2 + 0.07, 2.07, 0.042, frame)
      .box(-w / 2, 0, 0, w / 2, 2, 0.025, leaf)
      .ball(w / 2 - 0.08, 1.02, 0.06, 0.03, this.#palette.metal());
    if (random.chance(0.6)) {
      for (const [y0, y1] of [
        [0.15, 0.85],
        [1.15, 1.85],
      ] as const)
        piece.box(-w / 2 + 0.12, y0, 0.025, w / 2 - 0.12, y1, 0.033, leaf);
    }
    const wall = random.int(0, 3);
    const at = random.range(0.6, this.#lengthOf(wall) - 0.6);
    const before = footprint(this.scene.size, wall, at, w, 0.9);
    if (!this.#free(before) || !this.#hang(wall, at, w + 0.2)) return;
    this.#taken.push(before);
    this.#onWall(piece, wall, at, 0);
  }

  #window(): void {
    const random = this.#random;
    const palette = this.#palette;
    const wall = random.int(0, 3);
    const width = Math.min(random.range(0.7, 2.2), this.#lengthOf(wall) - 0.8);
    const [low, high] = [
      random.range(0.4, 1),
      random.range(1.9, Math.min(2.5, this.scene.size[1] - 0.12)),
    ];
    const at = random.range(width / 2 + 0.3, this.#lengthOf(wall) - width / 2 - 0.3);
    if (width < 0.4 || !this.#hang(wall, at, width + 0.3)) return;
    const frame = palette.lacquer();
    const day = random.range(0.6, 3.5);
    const t = 0.05;
    const piece = new Piece(width, 0.1)
      .box(-width / 2, low, 0, width / 2, high, 0.012, palette.outside(day))
      .box(-width / 2 - t, low - t, 0, width / 2 + t, low, 0.12, frame)
      .box(-width / 2 - t, high, 0, width / 2 + t, high + t, 0.05, frame)
      .box(-width / 2 - t, low, 0, -width / 2, high, 0.05, frame)
      .box(width / 2, low, 0, width / 2 + t, high, 0.05, frame);
    for (let i = 1, n = Math.round(width / 0.7); i < n; i++) {
      const x = -width / 2 + (i * width) / n;
      piece.box(x - 0.02, low, 0, x + 0.02, high, 0.04, frame);
    }
    if (random.chance(0.5)) this.#curtains(piece, width, low, high);
    this.#onWall(piece, wall, at, 0);
    const { origin, right, inward } = wallFrame(this.scene.size, wall);
    const place = (a: number, y: number): Vec => [
      origin[0] + right[0] * a + inward[0] * 0.2,
      y,
      origin[2] + right[2] * a + inward[2] * 0.2,
    ];
    const power = day * width * (high - low) * random.range(0.8, 1.6);
    this.scene.lights.push({
      corner: place(at - width / 2, low),
      u: [right[0] * width, 0, right[2] * width],
      v: [0, high - low, 0],
      normal: inward,
      power: [power * 0.9, power, power * 1.12],
    });
  }

  #curtains(piece: Piece, width: number, low: number, high: number): void {
    const cloth = this.#palette.cloth('stripes', 0.5);
    const foot = this.#random.chance(0.5) ? 0.04 : low - 0.15;
    const wide = width * 0.22;
    for (const side of [-1, 1]) {
      const folds = 5;
      for (let i = 0; i < folds; i++) {
        const x = (side * width) / 2 - wide / 2 + (i * wide) / folds;
        piece.box(x, foot, 0.06, x + wide / folds, high + 0.1, 0.09 + 0.035 * (i % 2), cloth);
      }
    }
    piece.box(
      -width / 2 - 0.3,
      high + 0.1,
      0.07,
      width / 2 + 0.3,
      high + 0.13,
      0.1,
      this.#palette.metal(),
    );
  }

  #ceilingLights(): void {
    const random = this.#random;
    const [w, h, d] = this.scene.size;
    const warmth = random.range(0, 0.35);
    const tint = (k: number): Vec => [k, k * (1 - 0.35 * warmth), k * (1 - 0.9 * warmth)];
    const count = w * d > 20 ? random.int(1, 4) : 1;
    const kind = random.int(0, 2);
    const metal = this.#palette.metal();
    for (let i = 0; i < count; i++) {
      const x = w / 2 + (count > 1 ? random.range(-0.25, 0.25) * w : random.range(-0.3, 0.3));
      const z = (d * (i + 0.5)) / count;
      const power = (random.range(4, 10) * Math.sqrt((w * d) / 16)) / count;
      const shine = this.#palette.glowing(hsv(0.1, 0.3 * warmth, 1), random.range(1.5, 5));
      const drop = kind === 0 ? random.range(0.4, 0.8) : 0.1;
      const r = kind === 0 ? random.range(0.1, 0.2) : random.range(0.15, 0.35);
      const lamp = new Piece(0.5, 0.5);
      if (kind === 0)
        lamp.box(-0.006, -drop, -0.006, 0.006, 0, 0.006, metal).ball(0, -drop, 0, r, shine, 0.8);
      else if (kind === 1) lamp.box(-r, -0.04, -r, r, 0, r, shine);
      else lamp.column(0, -0.1, 0, 0.1, r, shine);
      lamp.place(this.scene, [x, h, z], 0);
      this.scene.lights.push({
        corner: [x - r, h - drop - 0.12, z - r],
        u: [2 * r, 0, 0],
        v: [0, 0, 2 * r],
        ...(kind === 1 && { normal: [0, -1, 0] as const }),
        power: tint(kind === 1 ? power * 1.6 : power),
      });
    }
  }

  #floorLamp(): void {
    const random = this.#random;
    const [w, , d] = this.scene.size;
    const [x, z] = [random.pick([0.35, w - 0.35]), random.pick([0.35, d - 0.35])];
    const spot = { x0: x - 0.2, x1: x + 0.2, z0: z - 0.2, z1: z + 0.2 };
    if (!this.#free(spot)) return;
    this.#taken.push(spot);
    const h = random.range(1.3, 1.7);
    const metal = this.#palette.metal();
    new Piece(0.4, 0.4)
      .column(0, 0, 0, 0.03, 0.15, metal)
      .column(0, 0.03, 0, h, 0.014, metal)
      .column(0, h - 0.1, 0, 0.28, 0.2, this.#palette.glowing(hsv(0.1, 0.4, 1), 2.2), 0.13)
      .place(this.scene, [x, 0, z], 0);
    const k = random.range(0.7, 2.2);
    const power: Vec = [k, k * 0.8, k * 0.5];
    this.scene.lights.push({
      corner: [x - 0.1, h + 0.05, z - 0.1],
      u: [0.2, 0, 0],
      v: [0, 0, 0.2],
      power,
    });
  }

  #alongWall(): void {
    const piece = this.#random.pick(alongWalls)(this.#random, this.#palette);
    for (let attempt = 0; attempt < 8; attempt++) {
      const wall = this.#random.int(0, 3);
      const room = this.#lengthOf(wall) - piece.width;
      const across = this.scene.size[wall % 2 ? 0 : 2];
      if (room < 0.04 || across < piece.depth + 1.1) continue;
      const at = piece.width / 2 + this.#random.range(0.02, room - 0.02);
      const spot = footprint(this.scene.size, wall, at, piece.width, piece.depth + 0.05);
      if (!this.#free(spot)) continue;
      this.#taken.push(spot);
      this.#onWall(piece, wall, at, piece.depth / 2 + 0.02);
      return;
    }
  }

  #middle(): void {
    const random = this.#random;
    const [w, , d] = this.scene.size;
    const [x, z] = [w * random.range(0.4, 0.6), d * random.range(0.35, 0.65)];
    if (random.chance(0.6)) {
      const [rw, rd] = [random.range(0.8, 1.3), random.range(0.6, 1)];
      new Piece(rw, rd)
        .box(-rw, 0, -rd, rw, 0.012, rd, this.#palette.rug())
        .place(this.scene, [x, 0, z], random.range(-0.2, 0.2));
    }
    const piece = random.pick(inTheMiddle)(random, this.#palette);
    const spot = {
      x0: x - piece.width / 2,
      x1: x + piece.width / 2,
      z0: z - piece.depth / 2,
      z1: z + piece.depth / 2,
    };
    if (!this.#free(spot)) return;
    this.#taken.push(spot);
    piece.place(
      this.scene,
      [x, 0, z],
      random.range(-0.06, 0.06) + (random.chance(0.5) ? Math.PI : 0),
    );
    if (piece.width < 1) return;
    const seat = random.chance(0.85) ? chair : officeChair;
    // The same seed makes the same chair again.
    const model = random.int(0, 1e9);
    for (let n = random.int(0, 4); n > 0; n--) {
      const front = n % 2 ? 1 : -1;
      const at: Vec = [
        x + random.range(-0.35, 0.35) * piece.width,
        0,
        z + front * (piece.depth / 2 + random.range(0.1, 0.45)),
      ];
      const around = { x0: at[0] - 0.25, x1: at[0] + 0.25, z0: at[2] - 0.25, z1: at[2] + 0.25 };
      if (!this.#free(around, spot)) continue;
      this.#taken.push(around);
      const again = new Random(model);
      seat(again, new Palette(again)).place(
        this.scene,
        at,
        (front > 0 ? Math.PI : 0) + random.range(-0.4, 0.4),
      );
    }
  }

  #loose(): void {
    const random = this.#random;
    const piece = random.pick(anywhere)(random, this.#palette);
    const r = 0.55 * Math.max(piece.width, piece.depth);
    const [w, , d] = this.scene.size;
    if (w < 2 * r + 0.1 || d < 2 * r + 0.1) return;
    for (let attempt = 0; attempt < 6; attempt++) {
      const [x, z] = [random.range(r, w - r), random.range(r, d - r)];
      const spot = { x0: x - r, x1: x + r, z0: z - r, z1: z + r };
      if (!this.#free(spot)) continue;
      this.#taken.push(spot);
      piece.place(this.scene, [x, 0, z], random.range(0, 2 * Math.PI));
      return;
    }
  }

  #picture(): void {
    const random = this.#random;
    const wall = random.int(0, 3);
    const [w, h, y] = [random.range(0.2, 1.2), random.range(0.25, 0.9), random.range(1.1, 1.5)];
    if (this.#lengthOf(wall) < w + 0.4) return;
    const at = random.range(w / 2 + 0.1, this.#lengthOf(wall) - w / 2 - 0.1);
    if (!this.#hang(wall, at, w + 0.06)) return;
    const [t, top] = [random.range(0.02, 0.05), Math.min(y + h, this.scene.size[1] - 0.1)];
    const piece = new Piece(w, 0.05)
      .box(-w / 2, y, 0, w / 2, top, 0.02, this.#palette.furniture())
      .box(-w / 2 + t, y + t, 0.02, w / 2 - t, top - t, 0.024, this.#palette.picture());
    this.#onWall(piece, wall, at, 0);
  }

  /** Takes a part of a wall, if it is free. */
  #hang(wall: number, at: number, width: number): boolean {
    const [from, to] = [at - width / 2, at + width / 2];
    const hung = this.#hung[wall]!;
    if (hung.some(([a, b]) => from < b && to > a)) return false;
    hung.push([from, to]);
    return true;
  }

  #lengthOf(wall: number): number {
    return this.scene.size[wall % 2 ? 2 : 0];
  }

  #onWall(piece: Piece, wall: number, at: number, off: number): void {
    const { origin, right, inward, yaw } = wallFrame(this.scene.size, wall);
    const [x, z] = [
      origin[0] + right[0] * at + inward[0] * off,
      origin[2] + right[2] * at + inward[2] * off,
    ];
    piece.place(this.scene, [x, 0, z], yaw);
  }

  #free(spot: Rectangle, but?: Rectangle): boolean {
    const gap = 0.02;
    return this.#taken.every(
      (t) =>
        t === but ||
        spot.x1 + gap < t.x0 ||
        spot.x0 - gap > t.x1 ||
        spot.z1 + gap < t.z0 ||
        spot.z0 - gap > t.z1,
    );
  }
}
