import type { DepthMap, Picture } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { type Axis, type Grid, gridOf, type Placed } from './grid.ts';
import { findSurfaces, oneSurface } from './surfaces.ts';

export const methods = ['bilateral', 'bilinear'] as const;
export type Method = (typeof methods)[number];

/** Depth to place on a picture. */
export interface Job {
  readonly depth: DepthMap & Placed;
  /** Size and view of the result. */
  readonly target: Placed;
  /** A picture of the target's size; needed by `bilateral`. */
  readonly picture: Picture | undefined;
  readonly method: Method;
}

/** Standard deviations of the weights: distance in depth pixels, and difference of colours of 0 to 255. */
const sigmaSpace = 0.7;
const sigmaColour = 9;

/** Weight by squared difference of colours; beyond the table it is the last. */
const colourWeights = Float32Array.from({ length: 2048 }, (_, squared) =>
  Math.max(1e-9, Math.exp(-squared / (2 * sigmaColour ** 2))),
);
const farthest = colourWeights.length - 1;

/**
 * Places depth on the pixels of a picture that shows the same source, invalid where the depth shows
 * nothing. Its buffers are kept for the next frame.
 *
 * `bilateral` is joint bilateral upsampling (Kopf, Cohen, Lischinski and Uyttendaele, *Joint Bilateral
 * Upsampling*, SIGGRAPH 2007) over 3 × 3 depth pixels, where these belong to two surfaces: nearness and
 * likeness in colour decide between the surfaces, and the depth is the mean on that one. So an edge is
 * where the picture has it, and no depth lies between two surfaces. Elsewhere, and with `bilinear`
 * everywhere, depth is interpolated linearly.
 */
export class Upsampler {
  #split = new Float32Array(0);
  /** Mean colour of the picture within each depth pixel, three per pixel. */
  #colours = new Float32Array(0);
  #counts = new Uint32Array(0);
  #acrossWeights: Float32Array = new Float32Array(0);
  #downWeights: Float32Array = new Float32Array(0);
  #grid: { key: string; grid: Grid } | undefined;

  /** @param out metres, `height × width` of the target; 0 is invalid */
  run({ depth, target, picture, method }: Job, out: Float32Array): void {
    const { columns, rows } = this.#gridOf(target, depth);
    this.#prepare(depth);
    interpolate(depth, columns, rows, this.#split, out);
    if (method === 'bilinear' || !picture) return;
    this.#average(picture, columns, rows, depth);
    this.#acrossWeights = spaceWeights(columns, this.#acrossWeights);
    this.#downWeights = spaceWeights(rows, this.#downWeights);
    this.#decide(depth, picture, columns, rows, out);
  }

  #gridOf(target: Placed, depth: Placed): Grid {
    const key = JSON.stringify([target.size, target.view, depth.size, depth.view]);
    if (this.#grid?.key !== key) this.#grid = { key, grid: gridOf(target, depth) };
    return this.#grid.grid;
  }

  #prepare(depth: DepthMap): void {
    const pixels = depth.width * depth.height;
    if (this.#split.length !== pixels) {
      this.#split = new Float32Array(pixels);
      this.#colours = new Float32Array(pixels * 3);
      this.#counts = new Uint32Array(pixels);
    }
    findSurfaces(depth, this.#split);
  }

  #average({ data, format, width }: Picture, columns: Axis, rows: Axis, depth: DepthMap): void {
    const channels = format === 'rgba' ? 4 : 3;
    const colours = this.#colours.fill(0);
    const counts = this.#counts.fill(0);
    for (const [y, row] of rows.nearest.entries()) {
      if (row < 0) continue;
      let at = y * width * channels;
      for (let x = 0; x < width; x++, at += channels) {
        const column = columns.nearest[x] as number;
        if (column < 0) continue;
        const cell = row * depth.width + column;
        counts[cell] = (counts[cell] as number) + 1;
        colours[cell * 3] = (colours[cell * 3] as number) + (data[at] as number);
        colours[cell * 3 + 1] = (colours[cell * 3 + 1] as number) + (data[at + 1] as number);
        colours[cell * 3 + 2] = (colours[cell * 3 + 2] as number) + (data[at + 2] as number);
      }
    }
    for (const [cell, count] of counts.entries()) {
      if (count < 2) continue;
      for (let c = cell * 3; c < cell * 3 + 3; c++) colours[c] = (colours[c] as number) / count;
    }
  }

  /** Overwrites `out` where there are several surfaces. */
  #decide(depth: DepthMap, picture: Picture, columns: Axis, rows: Axis, out: Float32Array): void {
    const { data, format, width } = picture;
    const channels = format === 'rgba' ? 4 : 3;
    const split = this.#split;
    const colours = this.#colours;
    const counts = this.#counts;
    const acrossWeights = this.#acrossWeights;
    const downWeights = this.#downWeights;
    for (const [y, row] of rows.nearest.entries()) {
      if (row < 0) continue;
      const top = Math.max(0, row - 1);
      const bottom = Math.min(depth.height - 1, row + 1);
      for (let x = 0; x < width; x++) {
        const column = columns.nearest[x] as number;
        if (column < 0) continue;
        const between = split[row * depth.width + column] as number;
        if (between === oneSurface) continue;
        const at = (y * width + x) * channels;
        const red = data[at] as number;
        const green = data[at + 1] as number;
        const blue = data[at + 2] as number;
        const left = Math.max(0, column - 1);
        const right = Math.min(depth.width - 1, column + 1);
        let near = 0;
        let nearSum = 0;
        let far = 0;
        let farSum = 0;
        let invalid = 0;
        for (let v = top; v <= bottom; v++) {
          const down = downWeights[y * 3 + v - row + 1] as number;
          for (let u = left; u <= right; u++) {
            const cell = v * depth.width + u;
            const r = (colours[cell * 3] as number) - red;
            const g = (colours[cell * 3 + 1] as number) - green;
            const b = (colours[cell * 3 + 2] as number) - blue;
            // A depth pixel without any of the picture's has no colour.
            const squared = counts[cell] === 0 ? 0 : r * r + g * g + b * b;
            const likeness = colourWeights[squared < farthest ? squared | 0 : farthest] as number;
            const weight = likeness * down * (acrossWeights[x * 3 + u - column + 1] as number);
            const metres = depth.data[cell] as number;
            if (!(metres > 0 && metres < Number.POSITIVE_INFINITY)) invalid += weight;
            else if (metres < between) {
              near += weight;
              nearSum += weight * metres;
            } else {
              far += weight;
              farSum += weight * metres;
            }
          }
        }
        if (invalid >= near && invalid >= far) out[y * width + x] = 0;
        else out[y * width + x] = near > far ? nearSum / near : farSum / far;
      }
    }
  }
}

/** Weights of the depth pixel before, at and after each pixel. */
function spaceWeights({ at, nearest }: Axis, reused: Float32Array): Float32Array {
  const weights = reused.length === at.length * 3 ? reused : new Float32Array(at.length * 3);
  for (let i = 0; i < at.length; i++) {
    for (let k = 0; k < 3; k++) {
      const distance = (nearest[i] as number) + k - 1 - (at[i] as number);
      weights[i * 3 + k] = Math.exp((-distance * distance) / (2 * sigmaSpace ** 2));
    }
  }
  return weights;
}

/** Interpolates linearly between valid depths; invalid where most of the weight is on invalid ones. */
function interpolate(
  { width, height, data }: DepthMap,
  columns: Axis,
  rows: Axis,
  split: Float32Array,
  out: Float32Array,
): void {
  const across = columns.at.length;
  for (const [y, row] of rows.nearest.entries()) {
    const start = y * across;
    if (row < 0) {
      out.fill(0, start, start + across);
      continue;
    }
    const down = Math.min(height - 1, Math.max(0, rows.at[y] as number));
    const top = Math.floor(down) * width;
    const bottom = Math.min(height - 1, Math.floor(down) + 1) * width;
    const below = down - Math.floor(down);
    for (let x = 0; x < across; x++) {
      const column = columns.nearest[x] as number;
      if (column < 0) {
        out[start + x] = 0;
        continue;
      }
      const place = Math.min(width - 1, Math.max(0, columns.at[x] as number));
      const left = place | 0;
      const right = left < width - 1 ? left + 1 : left;
      const beside = place - left;
      const a = data[top + left] as number;
      const b = data[top + right] as number;
      const c = data[bottom + left] as number;
      const d = data[bottom + right] as number;
      if (split[row * width + column] === oneSurface) {
        const upper = a + (b - a) * beside;
        out[start + x] = upper + (c + (d - c) * beside - upper) * below;
      } else {
        out[start + x] = validMean(a, b, c, d, beside, below);
      }
    }
  }
}

function validMean(
  a: number,
  b: number,
  c: number,
  d: number,
  beside: number,
  below: number,
): number {
  const wa = isValidDepth(a) ? (1 - beside) * (1 - below) : 0;
  const wb = isValidDepth(b) ? beside * (1 - below) : 0;
  const wc = isValidDepth(c) ? (1 - beside) * below : 0;
  const wd = isValidDepth(d) ? beside * below : 0;
  const weight = wa + wb + wc + wd;
  if (weight < 0.5) return 0;
  const sum = (wa && wa * a) + (wb && wb * b) + (wc && wc * c) + (wd && wd * d);
  return sum / weight;
}
