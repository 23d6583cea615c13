import type { Pose } from './camera.ts';
import { distanceToWall } from './lighting.ts';
import { Occluders } from './occluders.ts';
import { cos, mixSeed, Random, sin } from './random.ts';
import { add, length, type Scene, scale, subtract, type Vec } from './scene.ts';

export const motions = ['walk', 'orbit', 'handheld', 'static', 'views'] as const;
export type Motion = (typeof motions)[number];

/** Where the camera is, by time in seconds and frame number. */
export type Path = (seconds: number, frame: number) => Pose;

/** A camera path through a room that keeps clear of walls and furniture. */
export function makePath(scene: Scene, motion: Motion, seed: number): Path {
  const scout = new Scout(scene);
  if (motion === 'views') {
    return (_, frame) => scout.pose(new Random(mixSeed(seed, frame)));
  }
  const random = new Random(seed);
  const start = scout.pose(random);
  if (motion === 'static') return () => start;
  const hand = shake(random);
  const steady: Path = () => start;
  const path =
    motion === 'walk'
      ? (walk(scout, start, random) ?? steady)
      : motion === 'orbit'
        ? (orbit(scout, scene.size, random) ?? walk(scout, start, random) ?? steady)
        : steady;
  return (seconds, frame) => hand(path(seconds, frame), seconds);
}

class Scout {
  readonly #occluders: Occluders;
  readonly #size: Vec;

  constructor({ obstacles, size }: Scene) {
    this.#occluders = new Occluders(obstacles);
    this.#size = size;
  }

  clear(p: Vec, margin = 0.3): boolean {
    const inside = p.every(
      (x, axis) => x > margin && x < this.#size[axis]! - (axis === 1 ? 0.15 : margin),
    );
    return inside && !this.#occluders.near(p, margin);
  }

  clearBetween(a: Vec, b: Vec): boolean {
    const steps = Math.ceil(length(subtract(b, a)) / 0.12);
    for (let i = 0; i <= steps; i++)
      if (!this.clear(add(a, scale(subtract(b, a), i / Math.max(1, steps))), 0.25)) return false;
    return true;
  }

  /** A place for the camera and a direction in which there is something to see. */
  pose(random: Random): Pose {
    const [w, h, d] = this.#size;
    let best: Pose = {
      position: [w / 2, Math.min(1.6, h - 0.3), d / 2],
      yaw: 0.4,
      pitch: -0.1,
      roll: 0,
    };
    let bestScore = -1;
    for (let attempt = 0, found = 0; attempt < 80 && found < 6; attempt++) {
      const height = random.chance(0.75) ? random.range(0.9, 1.75) : random.range(0.3, 2);
      const position: Vec = [
        random.range(0.3, w - 0.3),
        Math.min(height, h - 0.3),
        random.range(0.3, d - 0.3),
      ];
      if (!this.clear(position)) continue;
      found++;
      const yaw = random.range(-Math.PI, Math.PI);
      const pitch = random.range(-0.45, 0.12) - (height - 1.2) * 0.15;
      const pose = { position, yaw, pitch, roll: random.range(-0.05, 0.05) };
      const score = this.#score(pose) * random.range(0.5, 1);
      if (score <= bestScore) continue;
      best = pose;
      bestScore = score;
    }
    return best;
  }

  /** Mean distance over the view, nothing for one with something right before the lens. */
  #score({ position, yaw, pitch }: Pose): number {
    let sum = 0;
    for (const across of [-0.5, -0.25, 0, 0.25, 0.5]) {
      for (const up of [-0.3, 0, 0.3]) {
        const c = cos(pitch + up);
        const direction: Vec = [sin(yaw + across) * c, sin(pitch + up), cos(yaw + across) * c];
        const wall = distanceToWall(position, direction, this.#size);
        const t = this.#occluders.distance(position, direction, wall);
        if (t < 0.5) return 0;
        sum += Math.min(t, 4);
      }
    }
    return sum;
  }
}

/** Back and forth between two clear places, looking around. */
function walk(scout: Scout, start: Pose, random: Random): Path | undefined {
  let reach = 0;
  let end = start.position;
  for (let attempt = 0; attempt < 60; attempt++) {
    const angle = random.range(-Math.PI, Math.PI);
    const r = random.range(0.4, 4);
    const there = add(start.position, [r * sin(angle), random.range(-0.1, 0.1), r * cos(angle)]);
    if (r <= reach || !scout.clearBetween(start.position, there)) continue;
    reach = r;
    end = there;
  }
  if (reach === 0) return undefined;
  const period = (2 * reach) / random.range(0.4, 0.8);
  const [swing, turn] = [random.range(0.2, 0.7), random.range(0.25, 0.6)];
  return (seconds) => {
    const along = (1 - cos((2 * Math.PI * seconds) / period)) / 2;
    return {
      ...start,
      position: add(start.position, scale(subtract(end, start.position), along)),
      yaw: start.yaw + swing * sin(turn * seconds),
      pitch: start.pitch + 0.08 * sin(turn * 0.7 * seconds),
    };
  };
}

/** Around the middle of the room, looking at it. */
function orbit(scout: Scout, [w, h, d]: Vec, random: Random): Path | undefined {
  for (let attempt = 0; attempt < 60; attempt++) {
    const [rx, rz] = [(w / 2 - 0.35) * random.range(0.3, 1), (d / 2 - 0.35) * random.range(0.3, 1)];
    const height = random.range(0.8, Math.min(2, h - 0.3));
    const place = (angle: number): Vec => [
      w / 2 + rx * sin(angle),
      height,
      d / 2 - rz * cos(angle),
    ];
    const steps = Array.from({ length: 72 }, (_, i) => place((2 * Math.PI * i) / 72));
    if (!steps.every((p) => scout.clear(p))) continue;
    const speed = random.range(0.2, 0.4);
    const begin = random.range(-Math.PI, Math.PI);
    return (seconds) => {
      const angle = begin + speed * seconds;
      return { position: place(angle), yaw: -angle, pitch: -0.18, roll: 0 };
    };
  }
  return undefined;
}

/** A hand's tremor: slow sums of sines, millimetres and tenths of a degree. */
function shake(random: Random): (pose: Pose, seconds: number) => Pose {
  const waves = Array.from(
    { length: 12 },
    () => [random.range(1.5, 7), random.range(0, 6)] as const,
  );
  const wave = (i: number, t: number) => {
    const [[fa, pa], [fb, pb]] = [waves[2 * i]!, waves[2 * i + 1]!];
    return 0.65 * sin(fa * t + pa) + 0.35 * sin(fb * t + pb);
  };
  return ({ position, yaw, pitch, roll }, t) => ({
    position: add(position, scale([wave(0, t), wave(1, t), wave(2, t)], 0.02)),
    yaw: yaw + 0.02 * wave(3, t),
    pitch: pitch + 0.015 * wave(4, t),
    roll: roll + 0.012 * wave(5, t),
  });
}
