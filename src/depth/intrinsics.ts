import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';

/** Intrinsics of a camera with square pixels whose axis goes through the picture's centre. */
export function intrinsicsOfFieldOfView(degrees: number, { width, height }: Size): Intrinsics {
  const f = width / 2 / Math.tan((degrees * Math.PI) / 360);
  return { fx: f, fy: f, cx: (width - 1) / 2, cy: (height - 1) / 2 };
}

/** Intrinsics after the part at `left`, `top` was cut out. */
export function cropIntrinsics(k: Intrinsics, left: number, top: number): Intrinsics {
  return { ...k, cx: k.cx - left, cy: k.cy - top };
}

/** Intrinsics after the picture was scaled from one size to another. */
export function scaleIntrinsics(k: Intrinsics, from: Size, to: Size): Intrinsics {
  const sx = to.width / from.width;
  const sy = to.height / from.height;
  return {
    fx: k.fx * sx,
    fy: k.fy * sy,
    cx: (k.cx + 0.5) * sx - 0.5,
    cy: (k.cy + 0.5) * sy - 0.5,
  };
}
