import type { Obstacle, Vec } from './scene.ts';

const perSolid = 9;

/** Ray queries against the solids of a scene, in flat arrays for speed. */
export class Occluders {
  readonly #obstacles: readonly Obstacle[];
  readonly #groups: Float64Array;
  readonly #solids: Float64Array;

  constructor(obstacles: readonly Obstacle[]) {
    this.#obstacles = obstacles;
    const solids = obstacles.flatMap((obstacle) => obstacle.solids);
    this.#solids = new Float64Array(solids.length * perSolid);
    for (const [i, s] of solids.entries())
      this.#solids.set([...s.centre, ...s.half, s.cos, s.sin, s.ball ? 1 : 0], i * perSolid);
    this.#groups = new Float64Array(obstacles.length * 6);
    let first = 0;
    for (const [i, { centre, radius, solids: own }] of obstacles.entries()) {
      this.#groups.set([...centre, radius * radius, first, first + own.length], i * 6);
      first += own.length;
    }
  }

  /** Only those obstacles that come within `reach` of a ball. */
  within(centre: Vec, reach: number): Occluders {
    const near = this.#obstacles.filter((o) => {
      const [x, y, z] = [o.centre[0] - centre[0], o.centre[1] - centre[1], o.centre[2] - centre[2]];
      const apart = o.radius + reach;
      return x * x + y * y + z * z < apart * apart;
    });
    return new Occluders(near);
  }

  /** Distance along the ray to the first solid, at most `far`. With `any`, to one of them. */
  distance(o: Vec, d: Vec, far: number, any = false): number {
    const groups = this.#groups;
    let nearest = far;
    for (let g = 0; g < groups.length; g += 6) {
      const x = groups[g]! - o[0];
      const y = groups[g + 1]! - o[1];
      const z = groups[g + 2]! - o[2];
      const along = x * d[0] + y * d[1] + z * d[2];
      const rr = groups[g + 3]!;
      const apart = x * x + y * y + z * z;
      if (apart - along * along > rr) continue;
      if (
        apart > rr &&
        (along < 0 || (along - nearest > 0 && (along - nearest) * (along - nearest) > rr))
      )
        continue;
      for (let s = groups[g + 4]!; s < groups[g + 5]!; s++) {
        const t = this.#hit(s * perSolid, o, d);
        if (t < nearest) {
          nearest = t;
          if (any) return nearest;
        }
      }
    }
    return nearest;
  }

  /** True if a point is within `margin` of a solid. */
  near(p: Vec, margin: number): boolean {
    const a = this.#solids;
    for (let i = 0; i < a.length; i += perSolid) {
      const [x, y, z] = [p[0] - a[i]!, p[1] - a[i + 1]!, p[2] - a[i + 2]!];
      const [c, s] = [a[i + 6]!, a[i + 7]!];
      const inside =
        Math.abs(x * c - z * s) < a[i + 3]! + margin &&
        Math.abs(y) < a[i + 4]! + margin &&
        Math.abs(z * c + x * s) < a[i + 5]! + margin;
      if (inside) return true;
    }
    return false;
  }

  #hit(i: number, o: Vec, d: Vec): number {
    const a = this.#solids;
    const x = o[0] - a[i]!;
    const y = o[1] - a[i + 1]!;
    const z = o[2] - a[i + 2]!;
    if (a[i + 8] === 1) {
      const r = a[i + 3]!;
      const b = x * d[0] + y * d[1] + z * d[2];
      const disc = b * b - (x * x + y * y + z * z - r * r);
      if (disc < 0) return Infinity;
      const t = -b - Math.sqrt(disc);
      return t > 1e-4 ? t : Infinity;
    }
    // The three pairs of planes, written out: this is where baking spends its time.
    const inverseY = 1 / d[1];
    const hy = a[i + 4]!;
    const y1 = (-hy - y) * inverseY;
    const y2 = (hy - y) * inverseY;
    let enter = Math.max(0, Math.min(y1, y2));
    let leave = Math.max(y1, y2);
    if (!(enter < leave)) return Infinity;
    const c = a[i + 6]!;
    const s = a[i + 7]!;
    const inverseX = 1 / (d[0] * c - d[2] * s);
    const fromX = x * c - z * s;
    const hx = a[i + 3]!;
    const x1 = (-hx - fromX) * inverseX;
    const x2 = (hx - fromX) * inverseX;
    enter = Math.max(enter, Math.min(x1, x2));
    leave = Math.min(leave, Math.max(x1, x2));
    if (!(enter < leave)) return Infinity;
    const inverseZ = 1 / (d[2] * c + d[0] * s);
    const fromZ = z * c + x * s;
    const hz = a[i + 5]!;
    const z1 = (-hz - fromZ) * inverseZ;
    const z2 = (hz - fromZ) * inverseZ;
    enter = Math.max(enter, Math.min(z1, z2));
    leave = Math.min(leave, Math.max(z1, z2));
    return enter < leave && leave > 1e-4 ? enter : Infinity;
  }
}
