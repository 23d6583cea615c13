import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { cleanCopy } from './valid-pixels.ts';

export const fillMethods = ['smooth', 'far', 'near'] as const;
export type FillMethod = (typeof fillMethods)[number];

/**
 * Fills holes: groups of invalid pixels that touch at their sides. `smooth` continues the depth around
 * from the border inwards; `far` and `near` take the farthest or nearest depth of the border, as
 * librealsense's hole filling does: what a near object hides is mostly far.
 */
export class HoleFiller {
  readonly #maxArea: number;
  readonly #method: FillMethod;
  /** Working memory, of the size of the last frame. */
  #visited = new Uint8Array(0);
  #stack = new Int32Array(0);
  /** Pixels of one hole, and those of its inner part that are left, with their new depths. */
  readonly #hole: Int32Array;
  readonly #depths: Float32Array;
  readonly #around = new Around();

  /** @param maxArea pixels of the largest hole that is filled */
  constructor(maxArea: number, method: FillMethod) {
    this.#maxArea = maxArea;
    this.#method = method;
    this.#hole = new Int32Array(maxArea);
    this.#depths = new Float32Array(maxArea);
  }

  /** The depth, metres, in a new array; what stays invalid is 0. */
  fill({ width, height, data }: DepthMap): Float32Array {
    const out = cleanCopy(data);
    this.#reserve(data.length);
    for (let i = 0; i < out.length; i++) {
      if (out[i] !== 0 || this.#visited[i] === 1) continue;
      const area = this.#collect(out, i, width);
      // A frame without any depth has no border to continue from.
      if (area > this.#maxArea || area === out.length) continue;
      if (this.#method === 'smooth') this.#fillSmoothly(out, area, width, height);
      else this.#fillFlat(out, area, width, height);
    }
    return out;
  }

  #reserve(pixels: number): void {
    if (this.#visited.length === pixels) this.#visited.fill(0);
    else {
      this.#visited = new Uint8Array(pixels);
      this.#stack = new Int32Array(pixels);
    }
  }

  /** Lists the pixels of the hole at `start`, up to the largest area; gives its whole area. */
  #collect(z: Float32Array, start: number, width: number): number {
    const [visited, stack, hole] = [this.#visited, this.#stack, this.#hole];
    let area = 0;
    let top = 0;
    const visit = (i: number) => {
      if (z[i] !== 0 || visited[i] === 1) return;
      visited[i] = 1;
      stack[top++] = i;
    };
    visit(start);
    while (top > 0) {
      const i = stack[--top] as number;
      if (area < hole.length) hole[area] = i;
      area++;
      const x = i % width;
      if (x > 0) visit(i - 1);
      if (x < width - 1) visit(i + 1);
      if (i >= width) visit(i - width);
      if (i + width < z.length) visit(i + width);
    }
    return area;
  }

  /** Layer by layer: each pixel gets the mean of its neighbours that have a depth. */
  #fillSmoothly(z: Float32Array, area: number, width: number, height: number): void {
    const [hole, depths, around] = [this.#hole, this.#depths, this.#around];
    let left = area;
    while (left > 0) {
      for (let n = 0; n < left; n++) {
        around.reset();
        around.add(z, hole[n] as number, width, height);
        depths[n] = around.count === 0 ? 0 : around.sum / around.count;
      }
      let kept = 0;
      for (let n = 0; n < left; n++) {
        const i = hole[n] as number;
        const metres = depths[n] as number;
        if (metres > 0) z[i] = metres;
        else hole[kept++] = i;
      }
      left = kept;
    }
  }

  #fillFlat(z: Float32Array, area: number, width: number, height: number): void {
    const around = this.#around;
    around.reset();
    for (let n = 0; n < area; n++) around.add(z, this.#hole[n] as number, width, height);
    const metres = this.#method === 'far' ? around.max : around.min;
    for (let n = 0; n < area; n++) z[this.#hole[n] as number] = metres;
  }
}

/** Figures of the valid ones of the eight pixels around one, or around several. */
class Around {
  sum = 0;
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;

  reset(): void {
    this.sum = this.count = this.max = 0;
    this.min = Number.POSITIVE_INFINITY;
  }

  add(z: Float32Array, i: number, width: number, height: number): void {
    const x = i % width;
    const y = (i - x) / width;
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const metres = z[v * width + u] as number;
        if (!isValidDepth(metres)) continue;
        this.sum += metres;
        this.count++;
        if (metres < this.min) this.min = metres;
        if (metres > this.max) this.max = metres;
      }
    }
  }
}
