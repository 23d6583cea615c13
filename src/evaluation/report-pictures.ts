import type { DepthMap, ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { colorizeDepth, colormap } from '../depth/colormap.ts';
import { colorizeError, errorColor } from '../depth/error-colors.ts';
import type { DepthRange } from '../depth/metrics.ts';
import { depthExtent } from '../depth/valid-pixels.ts';
import { encodeJpeg, encodePng } from '../imaging/encode.ts';
import type { Comparison } from './evaluate.ts';

/** Absolute relative error with the last colour. */
export const largestError = 0.5;

const depthColors = 'magma';
const jpegQuality = 88;

/** Pictures of one frame and one model, as data URIs of equal size. */
export interface ReportPictures extends Size {
  readonly picture: string;
  readonly truth: string;
  readonly prediction: string;
  /** |prediction − truth| / truth; black where either is invalid. */
  readonly error: string;
  /** Ends of the colour scale of truth and prediction, metres. */
  readonly range: DepthRange;
}

/** RGB, truth, prediction and error of a frame, truth and prediction in the same colours. */
export async function renderReportPictures(
  { image, truth, depth }: Comparison,
  range: DepthRange,
): Promise<ReportPictures> {
  const colors = { colormap: depthColors, ...range } as const;
  const [picture, truthPicture, prediction, error] = await Promise.all([
    encodeJpeg(image, jpegQuality),
    encodePng(rgb(truth, colorizeDepth(truth, colors))),
    encodePng(rgb(depth, colorizeDepth(depth, colors))),
    encodePng(rgb(depth, colorizeError(depth, truth, largestError))),
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

/** Colours of the scales, from left to right, for a CSS gradient. */
export function scaleColors(scale: 'depth' | 'error'): string {
  const steps = Array.from({ length: 17 }, (_, i) => i / 16);
  return steps
    .map((share) => `rgb(${(scale === 'depth' ? depthColor(share) : errorColor(share)).join(',')})`)
    .join(',');
}

/** Near is the last colour of the map. */
function depthColor(share: number): readonly number[] {
  const at = 3 * Math.round(255 - share * 255);
  return [...colormap(depthColors).subarray(at, at + 3)];
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
