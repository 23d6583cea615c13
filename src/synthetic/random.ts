/**
 * Seeded randomness and trigonometry that give the same bits on every machine. `Math.sin` may
 * differ in its last bit between engines; sums, products and square roots may not.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  range(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor((to - from + 1) * this.next());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }
}

/** A seed made of several whole numbers. */
export function mixSeed(...parts: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const part of parts) {
    h = Math.imul(h ^ part, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h;
}

/** A fixed value in [0, 1) for each lattice point. */
export function lattice(x: number, y: number, seed: number): number {
  let h = Math.imul(seed ^ 0x811c9dc5, 0x85ebca6b) ^ Math.imul(x, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ Math.imul(y, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 13), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return ((h ^ (h >>> 15)) >>> 0) / 4_294_967_296;
}

const tau = 2 * Math.PI;

export function sin(x: number): number {
  let a = x - tau * Math.floor(x / tau + 0.5);
  if (a > Math.PI / 2) a = Math.PI - a;
  else if (a < -Math.PI / 2) a = -Math.PI - a;
  const q = a * a;
  let sum = 1;
  // Taylor series by Horner's rule; the error at π/2 is below 1e-12.
  for (let n = 17; n >= 3; n -= 2) sum = 1 - (q / (n * (n - 1))) * sum;
  return a * sum;
}

export function cos(x: number): number {
  return sin(x + Math.PI / 2);
}
