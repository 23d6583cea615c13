import {
  type DepthFrame,
  type DepthMap,
  derive,
  type FlipAxis,
  type FrameBase,
  type ImageFrame,
} from '../core/frame.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { type Fit, type FitPlan, planFit } from './fit-plan.ts';
import { cropPixels, scaleNearest, scaleRectangle } from './geometry.ts';
import {
  cropGeometry,
  flipGeometry,
  type Geometry,
  geometryOf,
  padGeometry,
  scaleGeometry,
} from './view.ts';

/** Identity, view, intrinsics and ground truth of the result; under the bars the truth is invalid. */
export function fittedBase(frame: ImageFrame | DepthFrame, plan: FitPlan): FrameBase {
  const { part, inner, size } = plan;
  const geometry = scaleGeometry(cropGeometry(geometryOf(frame), part), inner);
  const { truth } = frame;
  return {
    ...withGeometry(derive(frame), padGeometry(geometry, inner, size)),
    ...(truth && { truth: padMap(cropTruth(truth, frame, part), inner, size) }),
  };
}

/** `base` with another view, and with other intrinsics if it has any. */
function withGeometry<B extends FrameBase>(base: B, { view, intrinsics }: Geometry): B {
  return { ...base, view, ...(intrinsics && { intrinsics }) };
}

/** The truth keeps its own resolution; it is only cropped. */
function cropTruth(truth: DepthMap, frame: Size, part: Rectangle): DepthMap {
  const cut = scaleRectangle(part, frame, truth);
  if (cut.width === truth.width && cut.height === truth.height) return truth;
  return {
    width: cut.width,
    height: cut.height,
    data: cropPixels(truth.data, truth.width, 1, cut),
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

/** Crops a frame to `part`, and its picture, ground truth, view and intrinsics with it. */
export function cropFrame<F extends ImageFrame | DepthFrame>(frame: F, part: Rectangle): F {
  if (part.width === frame.width && part.height === frame.height) return frame;
  return {
    ...frame,
    ...withGeometry(derive(frame), cropGeometry(geometryOf(frame), part)),
    ...(frame.truth && { truth: cropTruth(frame.truth, frame, part) }),
    ...sizeOf(part),
    data: cropPixels<Uint8Array | Float32Array>(frame.data, frame.width, channels(frame), part),
    ...(frame.kind === 'depth' &&
      frame.image && { image: cropFrame(frame.image, scaleRectangle(part, frame, frame.image)) }),
  };
}

/** Mirrors a frame, and its picture, ground truth, view and intrinsics with it. */
export function flipFrame<F extends ImageFrame | DepthFrame>(frame: F, axis: FlipAxis): F {
  const { truth } = frame;
  return {
    ...frame,
    ...withGeometry(derive(frame), flipGeometry(geometryOf(frame), axis)),
    data: flipPixels<Uint8Array | Float32Array>(frame.data, frame, channels(frame), axis),
    ...(truth && { truth: { ...truth, data: flipPixels(truth.data, truth, 1, axis) } }),
    ...(frame.kind === 'depth' && frame.image && { image: flipFrame(frame.image, axis) }),
  };
}

/** Mirrors a row-major picture with `channels` values per pixel. */
export function flipPixels<T extends Uint8Array | Float32Array>(
  data: T,
  { width, height }: Size,
  channels: number,
  axis: FlipAxis,
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
  const { left, top } = padding;
  const at = { left, top, width: image.width, height: image.height };
  return {
    ...withGeometry(image, padGeometry(geometryOf(image), at, padding.size)),
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
