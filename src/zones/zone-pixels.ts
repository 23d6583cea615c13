import type { DepthFrame, Intrinsics } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { nthSmallest } from '../depth/nth-smallest.ts';
import { mirrored, viewOf } from '../depth/view.ts';
import type { ZoneOptions } from './zone-options.ts';

/** What a zone sees of a frame. */
export interface Reading {
  /** Robust nearest depth of the zone, metres; undefined if nothing was measured there. */
  readonly distance: number | undefined;
  /** Valid pixels in the zone. */
  readonly pixels: number;
  /** All of its pixels that the frame shows; of a box in space, those of the frame. */
  readonly shown: number;
}

/** Measures one zone in frames. The pixels of a zone in the picture are found once per geometry. */
export class ZonePixels {
  readonly #zone: ZoneOptions;
  readonly #nearest: number;
  #geometry = '';
  #indices: Int32Array = new Int32Array(0);
  #values = new Float32Array(0);

  /** @param nearest percentile of the depths that is the distance */
  constructor(zone: ZoneOptions, nearest: number) {
    this.#zone = zone;
    this.#nearest = nearest;
  }

  /** @param margin metres by which a box in space is larger on all sides */
  read(frame: DepthFrame, margin: number): Reading {
    if (this.#values.length < frame.data.length) this.#values = new Float32Array(frame.data.length);
    const { space } = this.#zone;
    const pixels = space
      ? pointsIn(space, margin, frame, frame.intrinsics as Intrinsics, this.#values)
      : this.#inPicture(frame);
    const shown = space ? frame.data.length : this.#indices.length;
    if (pixels === 0) return { distance: undefined, pixels, shown };
    const n = Math.min(pixels - 1, Math.floor((this.#nearest / 100) * pixels));
    return { distance: nthSmallest(this.#values, pixels, n), pixels, shown };
  }

  /** Collects the valid depths; returns their number. */
  #inPicture(frame: DepthFrame): number {
    const view = viewOf(frame);
    const geometry = JSON.stringify([frame.width, frame.height, view]);
    if (geometry !== this.#geometry) {
      this.#geometry = geometry;
      this.#indices = pixelsIn(corners(this.#zone), frame);
    }
    let count = 0;
    for (const index of this.#indices) {
      const metres = frame.data[index] as number;
      if (isValidDepth(metres)) this.#values[count++] = metres;
    }
    return count;
  }
}

type Corner = readonly [number, number];

function corners({ box, polygon = [] }: ZoneOptions): readonly Corner[] {
  if (!box) return polygon;
  const [left, top, right, bottom] = box;
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/** Indices of the pixels whose centres are in a polygon of the source's picture. */
function pixelsIn(polygon: readonly Corner[], frame: DepthFrame): Int32Array {
  const view = viewOf(frame);
  const { horizontal, vertical } = mirrored(view);
  const place = (i: number, length: number, flipped: boolean, from: number, span: number) => {
    const share = (i + 0.5) / length;
    return from + (flipped ? 1 - share : share) * span;
  };
  const { width, height, source } = { ...view, width: frame.width, height: frame.height };
  const found: number[] = [];
  for (let v = 0; v < height; v++) {
    const y = place(v, height, vertical, view.top, view.height) / source.height;
    for (let u = 0; u < width; u++) {
      const x = place(u, width, horizontal, view.left, view.width) / source.width;
      if (contains(polygon, x, y)) found.push(v * width + u);
    }
  }
  return Int32Array.from(found);
}

/** Even-odd rule: a ray to the right crosses the border an odd number of times. */
function contains(polygon: readonly Corner[], x: number, y: number): boolean {
  let inside = false;
  let [fromX, fromY] = polygon.at(-1) as Corner;
  for (const [toX, toY] of polygon) {
    if (toY > y !== fromY > y && x < ((fromX - toX) * (y - toY)) / (fromY - toY) + toX)
      inside = !inside;
    [fromX, fromY] = [toX, toY];
  }
  return inside;
}

/** Collects the depths of the points in a box in space; returns their number. */
function pointsIn(
  { x, y, z }: NonNullable<ZoneOptions['space']>,
  margin: number,
  { width, height, data }: DepthFrame,
  { fx, fy, cx, cy }: Intrinsics,
  values: Float32Array,
): number {
  let count = 0;
  for (let v = 0; v < height; v++) {
    const slopeY = (v - cy) / fy;
    for (let u = 0; u < width; u++) {
      const metres = data[v * width + u] as number;
      if (!isValidDepth(metres) || !within(metres, z, margin)) continue;
      if (!within(slopeY * metres, y, margin) || !within(((u - cx) / fx) * metres, x, margin))
        continue;
      values[count++] = metres;
    }
  }
  return count;
}

function within(value: number, [from, to]: readonly [number, number], margin: number): boolean {
  return value >= from - margin && value <= to + margin;
}
