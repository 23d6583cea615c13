import type { Fusion } from '../core/fusion.ts';
import { centreRectangle, type Rectangle, type Size } from '../core/size.ts';
import { pixelAspect, type Viewed } from './view.ts';

export type Fit = Extract<Fusion, { do: 'resize' }>['fit'];

/** How a picture is resized: which part is kept, its size in the result, and its position there. */
export interface FitPlan {
  /** Part of the picture to keep. */
  readonly part: Rectangle;
  /** Position of that part in the result; the rest is bars. */
  readonly inner: Rectangle;
  readonly size: Size;
  /** There is nothing to do. */
  readonly untouched: boolean;
}

/**
 * `view` is the aspect of the part that is kept before scaling; without it `crop` keeps the
 * target's aspect, `letterbox` and `stretch` keep everything. Aspects are those of what the picture
 * shows: a 4:3 view that is squeezed into a square is 4:3. A picture that has the size already stays
 * as it is, unless a `view` of another aspect is asked for.
 */
export function planFit(from: Viewed, size: Size, fit: Fit, view?: number): FitPlan {
  const { width, height } = size;
  const whole = { left: 0, top: 0, width: from.width, height: from.height };
  const hasSize = from.width === width && from.height === height;
  if (hasSize && view === undefined) return { part: whole, inner: whole, size, untouched: true };
  const aspect = view ?? (fit === 'crop' ? width / height : undefined);
  const part = aspect === undefined ? whole : centreOfAspect(from, aspect);
  const keepsAll = part.width === from.width && part.height === from.height;
  const inner =
    fit === 'letterbox'
      ? letterboxed(part, pixelAspect(from), size)
      : { left: 0, top: 0, width, height };
  return { part, inner, size: { width, height }, untouched: keepsAll && hasSize };
}

/** The largest centred part that shows `aspect` (width over height), whatever shape its pixels have. */
export function centreOfAspect(from: Viewed, aspect: number): Rectangle {
  return centreRectangle(from, aspect / pixelAspect(from));
}

function letterboxed(part: Size, pixelAspect: number, { width, height }: Size): Rectangle {
  const shownWidth = part.width * pixelAspect;
  const scale = Math.min(width / shownWidth, height / part.height);
  const w = Math.min(width, Math.max(1, Math.round(shownWidth * scale)));
  const h = Math.min(height, Math.max(1, Math.round(part.height * scale)));
  return {
    left: Math.floor((width - w) / 2),
    top: Math.floor((height - h) / 2),
    width: w,
    height: h,
  };
}
