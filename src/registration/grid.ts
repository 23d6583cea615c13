import type { View } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { mirrored, shownPart } from '../depth/view.ts';

/** Where one axis of a picture lies on the same axis of a depth map: an entry per column, or per row. */
export interface Axis {
  /** Position in depth pixels; 0 is the centre of the first. */
  readonly at: Float32Array;
  /** Depth pixel that it falls on; -1 where the depth shows nothing. */
  readonly nearest: Int16Array;
}

/** Where the pixels of a picture lie on a depth map of another view of the same source. */
export interface Grid {
  readonly columns: Axis;
  readonly rows: Axis;
}

/** A picture's or depth map's size, and the part of the source that it shows. */
export interface Placed {
  readonly size: Size;
  readonly view: View;
}

/** @param depth at most 16,384 pixels wide and high */
export function gridOf(picture: Placed, depth: Placed): Grid {
  const shown = shownPart(depth.view);
  const from = { ...picture, flips: mirrored(picture.view) };
  const to = { ...depth, flips: mirrored(depth.view) };
  return {
    columns: axis(
      {
        pixels: from.size.width,
        start: from.view.left,
        span: from.view.width,
        flipped: from.flips.horizontal,
      },
      {
        pixels: to.size.width,
        start: to.view.left,
        span: to.view.width,
        flipped: to.flips.horizontal,
      },
      [shown.left, shown.left + shown.width],
    ),
    rows: axis(
      {
        pixels: from.size.height,
        start: from.view.top,
        span: from.view.height,
        flipped: from.flips.vertical,
      },
      {
        pixels: to.size.height,
        start: to.view.top,
        span: to.view.height,
        flipped: to.flips.vertical,
      },
      [shown.top, shown.top + shown.height],
    ),
  };
}

interface Side {
  readonly pixels: number;
  /** In source pixels. */
  readonly start: number;
  readonly span: number;
  readonly flipped: boolean;
}

function axis(picture: Side, depth: Side, [first, last]: readonly [number, number]): Axis {
  const at = new Float32Array(picture.pixels);
  const nearest = new Int16Array(picture.pixels);
  for (let i = 0; i < picture.pixels; i++) {
    const share = (i + 0.5) / picture.pixels;
    const source = picture.start + picture.span * (picture.flipped ? 1 - share : share);
    const within = (source - depth.start) / depth.span;
    const place = (depth.flipped ? 1 - within : within) * depth.pixels;
    at[i] = place - 0.5;
    nearest[i] =
      source < first || source > last
        ? -1
        : Math.min(depth.pixels - 1, Math.max(0, Math.floor(place)));
  }
  return { at, nearest };
}
