import { ColorRangeTracker } from '../../src/depth/color-range.ts';
import { type ColormapName, colormap, invalidColor } from '../../src/depth/colormap.ts';
import type { Depth } from './decoder.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Depth in colours on a canvas. */
export class DepthPainter {
  readonly #canvas: HTMLCanvasElement;
  #tracker = new ColorRangeTracker({ percentiles: [2, 98] });

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** Forgets the range of earlier frames. */
  reset(): void {
    this.#tracker = new ColorRangeTracker({ percentiles: [2, 98] });
  }

  /** The range that follows the frames. */
  follow(depth: Depth, ptsMs: number): Range {
    const { width, height } = depth;
    const pts = BigInt(Math.round(ptsMs * 1e6));
    return this.#tracker.next({ width, height, data: metresOf(depth), pts });
  }

  paint(depth: Depth, name: ColormapName, range: Range): void {
    const { width, height, steps, step } = depth;
    const context = sized(this.#canvas, width, height);
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colors = palette(name);
    const invalid = packed(invalidColor(name));
    const gain = 255 / Math.max(range.max - range.min, 1e-6);
    for (let i = 0; i < steps.length; i++) {
      const value = steps[i] as number;
      const level = 255 - (value * step - range.min) * gain;
      pixels[i] =
        value === 0
          ? invalid
          : (colors[level <= 0 ? 0 : level >= 255 ? 255 : (level + 0.5) | 0] as number);
    }
    context.putImageData(image, 0, 0);
  }
}

/** Depth in metres, or in units of relative depth; 0: not measured. */
export function metresOf({ steps, step }: Depth): Float32Array<ArrayBuffer> {
  const metres = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) metres[i] = (steps[i] as number) * step;
  return metres;
}

/** The colours of a map, 256 × RGBA, from the low end to the high end. */
export function rgbaPalette(name: ColormapName): Uint8Array<ArrayBuffer> {
  return new Uint8Array(palette(name).buffer);
}

export function paintPicture(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  sized(canvas, picture.width, picture.height).drawImage(picture, 0, 0);
}

/** A CSS gradient, near on the left. */
export function gradient(name: ColormapName): string {
  const table = colormap(name);
  const stops = Array.from({ length: 17 }, (_, i) => {
    const at = 3 * Math.round(255 * (1 - i / 16));
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
}

function palette(name: ColormapName): Uint32Array<ArrayBuffer> {
  const table = colormap(name);
  return Uint32Array.from({ length: 256 }, (_, i) =>
    packed([table[3 * i] as number, table[3 * i + 1] as number, table[3 * i + 2] as number]),
  );
}

/** Bytes R, G, B, A in memory, on the little-endian machines that browsers run on. */
function packed([red, green, blue]: readonly [number, number, number]): number {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
