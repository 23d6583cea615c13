import type { Obstacle, Vec } from './scene.ts';

const perSolid = 9;

/** Ray queries against the solids of a scene, in flat arrays for speed. */
export class Occluders {
  readonly #groups: Float64Array;
  readonly #solids: Float64Array;

  constructor(obstacles: readonly Obstacle[]) {
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
      if (apart > rr && (along < 0 || (along - nearest > 0 && (along - nearest) ** 2 > rr)))
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
    const c = a[i + 6]!;
    const s = a[i + 7]!;
    let enter = 0;
    let leave = Infinity;
    for (let axis = 0; axis < 3; axis++) {
      const from = axis === 0 ? x * c - z * s : axis === 1 ? y : z * c + x * s;
      const by = axis === 0 ? d[0] * c - d[2] * s : axis === 1 ? d[1] : d[2] * c + d[0] * s;
      const half = a[i + 3 + axis]!;
      if (Math.abs(by) < 1e-12) {
        if (Math.abs(from) > half) return Infinity;
        continue;
      }
      const t1 = (-half - from) / by;
      const t2 = (half - from) / by;
      enter = Math.max(enter, Math.min(t1, t2));
      leave = Math.min(leave, Math.max(t1, t2));
    }
    return enter < leave && leave > 1e-4 ? enter : Infinity;
  }
}
