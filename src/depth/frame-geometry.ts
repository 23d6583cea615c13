import type { DepthFrame, DepthMap, FrameBase, ImageFrame } from '../core/frame.ts';
import type { Fusion } from '../core/fusion.ts';
import { centreRectangle, type Rectangle, type Size } from '../core/size.ts';
import { cropPixels, deriveView, scaleNearest, scaleRectangle } from './geometry.ts';
import { cropIntrinsics, fuseIntrinsics } from './intrinsics.ts';

export type Fit = Extract<Fusion, { do: 'resize' }>['fit'];
export type Axis = Extract<Fusion, { do: 'flip' }>['axis'];

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
 * target's aspect, `letterbox` and `stretch` keep everything.
 */
export function planFit(from: Size, size: Size, fit: Fit, view?: number): FitPlan {
  const { width, height } = size;
  const aspect = view ?? (fit === 'crop' ? width / height : undefined);
  const whole = { left: 0, top: 0, width: from.width, height: from.height };
  const part = aspect === undefined ? whole : centreRectangle(from, aspect);
  const keepsAll = part.width === from.width && part.height === from.height;
  const inner = fit === 'letterbox' ? letterboxed(part, size) : { left: 0, top: 0, width, height };
  const untouched = keepsAll && from.width === width && from.height === height;
  return { part, inner, size: { width, height }, untouched };
}

function letterboxed(part: Size, { width, height }: Size): Rectangle {
  const scale = Math.min(width / part.width, height / part.height);
  const w = Math.min(width, Math.max(1, Math.round(part.width * scale)));
  const h = Math.min(height, Math.max(1, Math.round(part.height * scale)));
  return {
    left: Math.floor((width - w) / 2),
    top: Math.floor((height - h) / 2),
    width: w,
    height: h,
  };
}

/** Identity, intrinsics and ground truth of the result; under the bars the truth is invalid. */
export function fittedBase(frame: ImageFrame | DepthFrame, plan: FitPlan): FrameBase {
  const { part, inner, size } = plan;
  const { intrinsics, truth, ...rest } = deriveView(frame, part, inner);
  return {
    ...rest,
    ...(intrinsics && { intrinsics: cropIntrinsics(intrinsics, -inner.left, -inner.top) }),
    ...(truth && { truth: padMap(truth, inner, size) }),
  };
}

/** Resizes depth by nearest neighbour, so that no depth lies between two surfaces. */
export function fitDepth(frame: DepthFrame, size: Size, fit: Fit, view?: number): DepthFrame {
  const plan = planFit(frame, size, fit, view);
  if (plan.untouched) return frame;
  const kept = cropFrame(frame, plan.part);
  const map = padMap(scaleNearest(kept, sizeOf(plan.inner)), plan.inner, size);
  return {
    ...kept,
    ...fittedBase(frame, plan),
    ...map,
    ...(kept.image && { image: padImage(kept.image, plan) }),
  };
}

/** Crops a frame to `part`, and its picture, ground truth and intrinsics with it. */
export function cropFrame<F extends ImageFrame | DepthFrame>(frame: F, part: Rectangle): F {
  if (part.width === frame.width && part.height === frame.height) return frame;
  return {
    ...frame,
    ...deriveView(frame, part, part),
    ...sizeOf(part),
    data: cropPixels<Uint8Array | Float32Array>(frame.data, frame.width, channels(frame), part),
    ...(frame.kind === 'depth' &&
      frame.image && { image: cropFrame(frame.image, scaleRectangle(part, frame, frame.image)) }),
  };
}

/** Mirrors a frame, and its picture, ground truth and intrinsics with it. */
export function flipFrame<F extends ImageFrame | DepthFrame>(frame: F, axis: Axis): F {
  const { intrinsics, truth } = frame;
  return {
    ...frame,
    data: flipPixels<Uint8Array | Float32Array>(frame.data, frame, channels(frame), axis),
    ...(intrinsics && {
      intrinsics: fuseIntrinsics({ size: frame, intrinsics }, [{ do: 'flip', axis }]).intrinsics,
    }),
    ...(truth && { truth: { ...truth, data: flipPixels(truth.data, truth, 1, axis) } }),
    ...(frame.kind === 'depth' && frame.image && { image: flipFrame(frame.image, axis) }),
  };
}

/** Mirrors a row-major picture with `channels` values per pixel. */
export function flipPixels<T extends Uint8Array | Float32Array>(
  data: T,
  { width, height }: Size,
  channels: number,
  axis: Axis,
): T {
  const out = emptyLike(data, data.length);
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    const from = (axis === 'horizontal' ? y : height - 1 - y) * row;
    const to = y * row;
    if (axis === 'vertical') {
      out.set(data.subarray(from, from + row) as never, to);
      continue;
    }
    for (let x = 0; x < row; x += channels) {
      const mirrored = from + row - channels - x;
      for (let c = 0; c < channels; c++) out[to + x + c] = data[mirrored + c] as number;
    }
  }
  return out;
}

function channels(frame: ImageFrame | DepthFrame): number {
  if (frame.kind === 'depth') return 1;
  return frame.format === 'rgba' ? 4 : 3;
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

/** `map` with the same bars around it, at its own resolution. */
function padMap(map: DepthMap, inner: Rectangle, size: Size): DepthMap {
  if (inner.width === size.width && inner.height === size.height) return map;
  const padding = paddingOf(map, inner, size);
  return { ...padding.size, data: padPixels(map.data, map, 1, padding) };
}

/** A depth frame's picture with black bars of the same share as the depth's. */
function padImage(image: ImageFrame, { inner, size }: FitPlan): ImageFrame {
  if (inner.width === size.width && inner.height === size.height) return image;
  const padding = paddingOf(image, inner, size);
  return {
    ...image,
    ...padding.size,
    data: padPixels(image.data, image, channels(image), padding),
  };
}

/** Position of a picture within a larger one that adds bars. */
interface Padding {
  readonly left: number;
  readonly top: number;
  readonly size: Size;
}

function paddingOf(picture: Size, inner: Rectangle, size: Size): Padding {
  const sx = picture.width / inner.width;
  const sy = picture.height / inner.height;
  const right = Math.round((size.width - inner.left - inner.width) * sx);
  const bottom = Math.round((size.height - inner.top - inner.height) * sy);
  const left = Math.round(inner.left * sx);
  const top = Math.round(inner.top * sy);
  return {
    left,
    top,
    size: { width: left + picture.width + right, height: top + picture.height + bottom },
  };
}

function padPixels<T extends Uint8Array | Float32Array>(
  data: T,
  { width, height }: Size,
  channels: number,
  { left, top, size }: Padding,
): T {
  const out = emptyLike(data, size.width * size.height * channels);
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    const to = ((top + y) * size.width + left) * channels;
    out.set(data.subarray(y * row, (y + 1) * row) as never, to);
  }
  return out;
}

function emptyLike<T extends Uint8Array | Float32Array>(data: T, length: number): T {
  return new (data.constructor as new (n: number) => T)(length);
}
