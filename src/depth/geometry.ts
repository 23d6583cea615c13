import { type DepthMap, derive, type Frame, type FrameBase } from '../core/frame.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { cropIntrinsics, scaleIntrinsics } from './intrinsics.ts';

/** A part of a row-major picture with `channels` values per pixel. */
export function cropPixels<T extends Uint8Array | Float32Array>(
  data: T,
  width: number,
  channels: number,
  part: Rectangle,
): T {
  const row = part.width * channels;
  const out = new (data.constructor as new (n: number) => T)(part.height * row);
  for (let y = 0; y < part.height; y++) {
    const start = ((part.top + y) * width + part.left) * channels;
    out.set(data.subarray(start, start + row) as never, y * row);
  }
  return out;
}

/** Nearest-neighbour scaling; never mixes the depths of two surfaces. */
export function scaleNearest(map: DepthMap, to: Size): DepthMap {
  if (map.width === to.width && map.height === to.height) return map;
  const data = new Float32Array(to.width * to.height);
  const columns = Uint32Array.from({ length: to.width }, (_, x) =>
    Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / to.width)),
  );
  for (let y = 0; y < to.height; y++) {
    const row =
      Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / to.height)) * map.width;
    for (let x = 0; x < to.width; x++) {
      data[y * to.width + x] = map.data[row + (columns[x] as number)] as number;
    }
  }
  return { ...to, data };
}

/**
 * What a frame's geometry becomes when `part` of it is scaled to `size`: intrinsics and ground
 * truth follow the picture. The truth keeps its own resolution; only its view is cut.
 */
export function deriveView(frame: Frame & Size, part: Rectangle, size: Size): FrameBase {
  const { intrinsics, truth, ...rest } = derive(frame);
  return {
    ...rest,
    ...(intrinsics && {
      intrinsics: scaleIntrinsics(cropIntrinsics(intrinsics, part.left, part.top), part, size),
    }),
    ...(truth && { truth: cropTruth(truth, frame, part) }),
  };
}

function cropTruth(truth: DepthMap, frame: Size, part: Rectangle): DepthMap {
  const cut = scaleRectangle(part, frame, truth);
  if (cut.width === truth.width && cut.height === truth.height) return truth;
  return {
    width: cut.width,
    height: cut.height,
    data: cropPixels(truth.data, truth.width, 1, cut),
  };
}

/** The same part of a picture of another size: at least one pixel, and within it. */
export function scaleRectangle(part: Rectangle, from: Size, to: Size): Rectangle {
  const [left, right] = scaleSpan(part.left, part.width, to.width / from.width, to.width);
  const [top, bottom] = scaleSpan(part.top, part.height, to.height / from.height, to.height);
  return { left, top, width: right - left, height: bottom - top };
}

function scaleSpan(start: number, length: number, scale: number, limit: number): [number, number] {
  const first = Math.min(limit - 1, Math.round(start * scale));
  return [first, Math.min(limit, Math.max(first + 1, Math.round((start + length) * scale)))];
}
