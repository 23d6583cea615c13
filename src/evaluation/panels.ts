import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { colorizeDepth, colormap } from '../depth/colormap.ts';
import type { Size } from '../depth/geometry.ts';
import type { DepthRange } from '../depth/metrics.ts';
import { depthExtent } from '../depth/valid-pixels.ts';
import { encodeJpeg, encodePng } from '../imaging/encode.ts';
import type { Comparison } from './evaluate.ts';

/** Absolute relative error that gets the last colour. */
export const largestError = 0.5;

const depthColors = 'turbo';
const errorColors = 'inferno';
const jpegQuality = 88;

/** Pictures of one frame and one model, as data URIs of equal size. */
export interface Panels extends Size {
  readonly picture: string;
  readonly truth: string;
  readonly prediction: string;
  /** |prediction − truth| / truth; black where there is nothing to compare. */
  readonly error: string;
  /** Metres that truth and prediction are coloured between. */
  readonly range: DepthRange;
}

/** RGB, truth, prediction and error of a frame, truth and prediction in the same colours. */
export async function renderPanels(
  { image, truth, depth }: Comparison,
  range: DepthRange,
): Promise<Panels> {
  const colors = { colormap: depthColors, ...range } as const;
  const [picture, truthPicture, prediction, error] = await Promise.all([
    encodeJpeg(image, jpegQuality),
    encodePng(rgb(truth, colorizeDepth(truth, colors))),
    encodePng(rgb(depth, colorizeDepth(depth, colors))),
    encodePng(rgb(depth, colorizeError(depth, truth))),
  ]);
  return {
    width: depth.width,
    height: depth.height,
    picture: uri('jpeg', picture),
    truth: uri('png', truthPicture),
    prediction: uri('png', prediction),
    error: uri('png', error),
    range,
  };
}

/** Smallest and largest valid depth. */
export function rangeOf(map: DepthMap): DepthRange {
  return depthExtent(map.data) ?? { min: 0, max: 1 };
}

/** |prediction − truth| / truth as RGB, from 0 to `largestError`; black where either is invalid. */
export function colorizeError(prediction: DepthMap, truth: DepthMap): Uint8Array {
  const table = colormap(errorColors);
  const out = new Uint8Array(truth.data.length * 3);
  for (let i = 0; i < truth.data.length; i++) {
    const t = truth.data[i] as number;
    const p = prediction.data[i] as number;
    if (!isValidDepth(t) || !isValidDepth(p)) continue;
    const share = Math.min(1, Math.abs(p - t) / t / largestError);
    // The first colour of the map is black, which says that there is nothing to compare.
    const at = 3 * Math.round(24 + share * (255 - 24));
    out.set(table.subarray(at, at + 3), i * 3);
  }
  return out;
}

/** Colours of the scales, from left to right, for a CSS gradient. */
export function scaleColors(scale: 'depth' | 'error'): string {
  const table = colormap(scale === 'depth' ? depthColors : errorColors);
  const levels = Array.from({ length: 17 }, (_, i) =>
    scale === 'depth' ? 255 - (i / 16) * 255 : 24 + (i / 16) * (255 - 24),
  );
  return levels
    .map((level) => {
      const at = 3 * Math.round(level);
      return `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
    })
    .join(',');
}

function rgb({ width, height }: Size, data: Uint8Array): ImageFrame {
  return {
    kind: 'image',
    seq: 0,
    pts: 0n,
    capturedAt: 0n,
    source: 'evaluation',
    width,
    height,
    format: 'rgb',
    data,
  };
}

function uri(type: 'png' | 'jpeg', bytes: Uint8Array): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}
