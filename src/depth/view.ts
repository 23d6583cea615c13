import type { FlipAxis, Intrinsics, View } from '../core/frame.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { cropIntrinsics, scaleIntrinsics } from './intrinsics.ts';

/** Where the pixels of a picture are in the source's picture, and which ray each of them is. */
export interface Geometry {
  readonly size: Size;
  readonly view: View;
  readonly intrinsics?: Intrinsics | undefined;
}

/** A picture with its view and intrinsics, such as a frame. */
export interface Viewed extends Size {
  readonly view?: View | undefined;
  readonly intrinsics?: Intrinsics | undefined;
}

/** The view of a source's picture itself. */
export function wholeView({ width, height }: Size): View {
  return { left: 0, top: 0, width, height, source: { width, height } };
}

/** A frame that says nothing of its view shows the whole picture of its source. */
export function viewOf(frame: Viewed): View {
  return frame.view ?? wholeView(frame);
}

export function geometryOf(frame: Viewed): Geometry {
  const { width, height, intrinsics } = frame;
  return { size: { width, height }, view: viewOf(frame), intrinsics };
}

/** The part of the source's picture that the frame shows outside its bars, in source pixels. */
export function shownPart(view: View): Rectangle {
  const whole = { left: 0, top: 0, ...view.source };
  return intersection(intersection(view, whole), view.shown ?? whole);
}

/**
 * Width of a pixel over its height, in pixels of the source: 4/3 where a 4:3 view is squeezed into a
 * square.
 */
export function pixelAspect(frame: Viewed): number {
  const { width, height } = viewOf(frame);
  return width / frame.width / (height / frame.height);
}

/** Width over height of what the frame shows, whatever it is squeezed into. */
export function viewAspect(frame: Viewed): number {
  const { width, height } = viewOf(frame);
  return width / height;
}

/** After `part` was cut out. It may be larger than the picture, which adds bars. */
export function cropGeometry({ size, view, intrinsics }: Geometry, part: Rectangle): Geometry {
  const { horizontal, vertical } = mirrored(view);
  const [left, width] = spanWithin(
    view.left,
    view.width,
    size.width,
    part.left,
    part.width,
    horizontal,
  );
  const [top, height] = spanWithin(
    view.top,
    view.height,
    size.height,
    part.top,
    part.height,
    vertical,
  );
  const cut = { ...view, left, top, width, height };
  return {
    size: { width: part.width, height: part.height },
    view: withShown(cut, view),
    intrinsics: intrinsics && cropIntrinsics(intrinsics, part.left, part.top),
  };
}

/** Source pixels of `length` frame pixels from `start`, of a frame of `frameLength`. */
function spanWithin(
  from: number,
  span: number,
  frameLength: number,
  start: number,
  length: number,
  flipped: boolean,
): [number, number] {
  const first = flipped ? frameLength - start - length : start;
  return [from + (span * first) / frameLength, (span * length) / frameLength];
}

/** What bars hide is noted only where the rectangle alone does not say it. */
function withShown(view: View, before: View): View {
  const { shown: _, ...bare } = view;
  const shown = intersection(shownPart(before), view);
  const all = shownPart(bare);
  const sides = ['left', 'top', 'width', 'height'] as const;
  return sides.every((side) => Math.abs(shown[side] - all[side]) < 1e-6)
    ? bare
    : { ...bare, shown };
}

/** After scaling to `size`. */
export function scaleGeometry({ size, view, intrinsics }: Geometry, to: Size): Geometry {
  const { width, height } = to;
  return {
    size: { width, height },
    view,
    intrinsics: intrinsics && scaleIntrinsics(intrinsics, size, to),
  };
}

/** After bars were added: the picture is at `inner` of a picture of `size`. */
export function padGeometry(geometry: Geometry, inner: Rectangle, size: Size): Geometry {
  const { width, height } = size;
  return cropGeometry(geometry, { left: -inner.left, top: -inner.top, width, height });
}

/** After sides were swapped. */
export function flipGeometry({ size, view, intrinsics }: Geometry, axis: FlipAxis): Geometry {
  const before = mirrored(view);
  const now = mirrored({ flip: axis });
  const { flip: _, ...bare } = view;
  const flip = axisOf(before.horizontal !== now.horizontal, before.vertical !== now.vertical);
  return {
    size,
    view: flip ? { ...bare, flip } : bare,
    intrinsics: intrinsics && flipIntrinsics(intrinsics, size, now),
  };
}

/** Which sides of a view are swapped. */
export function mirrored({ flip }: Pick<View, 'flip'>): { horizontal: boolean; vertical: boolean } {
  return {
    horizontal: flip === 'horizontal' || flip === 'both',
    vertical: flip === 'vertical' || flip === 'both',
  };
}

function axisOf(horizontal: boolean, vertical: boolean): FlipAxis | undefined {
  if (horizontal) return vertical ? 'both' : 'horizontal';
  return vertical ? 'vertical' : undefined;
}

function flipIntrinsics(
  k: Intrinsics,
  { width, height }: Size,
  { horizontal, vertical }: { horizontal: boolean; vertical: boolean },
): Intrinsics {
  return {
    ...k,
    cx: horizontal ? width - 1 - k.cx : k.cx,
    cy: vertical ? height - 1 - k.cy : k.cy,
  };
}

/** The intrinsics of the source's whole picture, from those of a frame that shows a part of it. */
export function sourceIntrinsics(frame: Viewed & { readonly intrinsics: Intrinsics }): Intrinsics {
  const view = viewOf(frame);
  const upright = flipIntrinsics(frame.intrinsics, frame, mirrored(view));
  return cropIntrinsics(scaleIntrinsics(upright, frame, view), -view.left, -view.top);
}

/** Intrinsics of a frame of this size and view, from those of the source's whole picture. */
export function viewIntrinsics(camera: Intrinsics, view: View, size: Size): Intrinsics {
  const part = cropIntrinsics(camera, view.left, view.top);
  return flipIntrinsics(scaleIntrinsics(part, view, size), size, mirrored(view));
}

function intersection(a: Rectangle, b: Rectangle): Rectangle {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.left + a.width, b.left + b.width);
  const bottom = Math.min(a.top + a.height, b.top + b.height);
  return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}
