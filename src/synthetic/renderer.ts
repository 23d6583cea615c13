import type { Size } from '../core/size.ts';
import type { Camera } from './camera.ts';
import { outline, type View, viewOf } from './projection.ts';
import type { Scene, Vec } from './scene.ts';
import { shade } from './shading.ts';

/** What the renderer sees: linear light, true depth, and which face each pixel shows. */
export interface Rendering extends Size {
  /** Linear RGB, `height × width × 3`. */
  readonly light: Float32Array;
  /** Metres along the optical axis, `height × width`. */
  readonly depth: Float32Array<ArrayBuffer>;
  /** Index of the face, `height × width`. */
  readonly faces: Int32Array;
}

/**
 * Renders a scene: faces are drawn into a buffer of 2 × 2 samples for each pixel, then each pixel
 * is shaded once, or, where faces meet in it, once for each face.
 */
export function renderFrame(scene: Scene, camera: Camera, size: Size): Rendering {
  const { width, height } = size;
  const samples = new SampleBuffer(width * 2, height * 2);
  const views: (View | undefined)[] = scene.faces.map((face, index) => {
    const view = viewOf(face, camera);
    if (view) samples.draw(outline(face, camera), view, index, camera);
    return view;
  });
  const rendering: Rendering = {
    width,
    height,
    light: new Float32Array(width * height * 3),
    depth: new Float32Array(width * height),
    faces: new Int32Array(width * height),
  };
  resolve(samples, views, camera, rendering);
  return rendering;
}

class SampleBuffer {
  readonly width: number;
  readonly face: Int32Array;
  /** 1/z; larger is nearer. */
  readonly inverse: Float32Array;
  readonly #height: number;
  readonly #left: Float64Array;
  readonly #right: Float64Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.#height = height;
    this.face = new Int32Array(width * height).fill(-1);
    this.inverse = new Float32Array(width * height);
    this.#left = new Float64Array(height);
    this.#right = new Float64Array(height);
  }

  draw(corners: readonly Vec[], view: View, index: number, { intrinsics: k }: Camera): void {
    if (corners.length < 3) return;
    // Sample (i, j) lies at pixel (i / 2 - 1/4, j / 2 - 1/4).
    const points = corners.map(([x, y, z]): readonly [number, number] => [
      2 * ((k.fx * x) / z + k.cx) + 0.5,
      2 * ((k.fy * y) / z + k.cy) + 0.5,
    ]);
    let [top, bottom] = [Infinity, -Infinity];
    for (const [, y] of points) {
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    const first = Math.max(0, Math.ceil(top));
    const last = Math.min(this.#height - 1, Math.ceil(bottom) - 1);
    if (first > last) return;
    this.#left.fill(Infinity, first, last + 1);
    this.#right.fill(-Infinity, first, last + 1);
    for (let i = 0; i < points.length; i++)
      this.#edge(points[i]!, points[(i + 1) % points.length]!, first, last);

    const { normal, plane } = view;
    const dx = normal[0] / (k.fx * 2 * plane);
    const dy = normal[1] / (k.fy * 2 * plane);
    const start =
      (normal[2] - (normal[0] * (k.cx + 0.25)) / k.fx - (normal[1] * (k.cy + 0.25)) / k.fy) / plane;
    for (let y = first; y <= last; y++) {
      const from = Math.max(0, Math.ceil(this.#left[y]!));
      const to = Math.min(this.width - 1, Math.ceil(this.#right[y]!) - 1);
      const row = y * this.width;
      const base = start + dy * y;
      for (let x = from; x <= to; x++) {
        const inverse = base + dx * x;
        if (inverse > this.inverse[row + x]!) {
          this.inverse[row + x] = inverse;
          this.face[row + x] = index;
        }
      }
    }
  }

  /** Marks where an edge crosses each row; the same bits whichever way it runs. */
  #edge(
    a: readonly [number, number],
    b: readonly [number, number],
    first: number,
    last: number,
  ): void {
    if (a[1] === b[1]) return;
    const [upper, lower] = a[1] < b[1] ? [a, b] : [b, a];
    const slope = (lower[0] - upper[0]) / (lower[1] - upper[1]);
    const to = Math.min(last, Math.ceil(lower[1]) - 1);
    for (let y = Math.max(first, Math.ceil(upper[1])); y <= to; y++) {
      const x = upper[0] + (y - upper[1]) * slope;
      if (x < this.#left[y]!) this.#left[y] = x;
      if (x > this.#right[y]!) this.#right[y] = x;
    }
  }
}

function resolve(
  samples: SampleBuffer,
  views: readonly (View | undefined)[],
  camera: Camera,
  out: Rendering,
): void {
  const { width, height, light, depth, faces } = out;
  const { face, inverse, width: stride } = samples;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const at = 2 * y * stride + 2 * x;
      const a = face[at]!;
      const b = face[at + 1]!;
      const c = face[at + stride]!;
      const d = face[at + stride + 1]!;
      if (a === b && a === c && a === d) {
        faces[pixel] = a;
        if (a >= 0) depth[pixel] = shade(views[a]!, camera, x, y, 1, light, pixel * 3);
        continue;
      }
      // The face with most samples gives the depth; of equals, the nearest.
      let [best, votes, nearest] = [a, 0, -1];
      for (let i = 0; i < 4; i++) {
        const here = at + (i >> 1) * stride + (i & 1);
        const id = face[here]!;
        if (id < 0) continue;
        const count = +(id === a) + +(id === b) + +(id === c) + +(id === d);
        if (count > votes || (count === votes && inverse[here]! > nearest)) {
          best = id;
          votes = count;
          nearest = inverse[here]!;
        }
        shade(
          views[id]!,
          camera,
          x + (i & 1) / 2 - 0.25,
          y + (i >> 1) / 2 - 0.25,
          0.25,
          light,
          pixel * 3,
        );
      }
      faces[pixel] = best;
      if (nearest > 0) depth[pixel] = 1 / nearest;
    }
  }
}
