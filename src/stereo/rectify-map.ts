import type { Size } from '../core/size.ts';
import { project, type RigCamera } from './camera-model.ts';
import { apply, transposed } from './rectify-rig.ts';

/** Where each pixel of a rectified picture lies in the picture of its camera. */
export interface RectifyMap extends Size {
  /** Index of the upper left of four pixels, or -1 outside the picture. */
  readonly from: Int32Array;
  /** Shares of the right and the lower pixels, in 1/256: `across`, `down`, one after the other. */
  readonly shares: Uint8Array;
}

const steps = 256;

/** Computes the map of one camera once: OpenCV's `initUndistortRectifyMap`. */
export function rectifyMap(camera: RigCamera, { width, height }: Size): RectifyMap {
  const back = transposed(camera.rotation);
  const { fx, fy, cx, cy } = camera.rectified;
  const from = new Int32Array(width * height).fill(-1);
  const shares = new Uint8Array(2 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [rx, ry, rz] = apply(back, [(x - cx) / fx, (y - cy) / fy, 1]);
      if (rz <= 0) continue;
      const [u, v] = project(camera, rx / rz, ry / rz);
      if (!(u >= 0 && v >= 0 && u <= width - 1 && v <= height - 1)) continue;
      const [left, top] = [Math.min(width - 2, Math.floor(u)), Math.min(height - 2, Math.floor(v))];
      const at = y * width + x;
      from[at] = top * width + left;
      shares[2 * at] = Math.min(steps - 1, Math.round((u - left) * steps));
      shares[2 * at + 1] = Math.min(steps - 1, Math.round((v - top) * steps));
    }
  }
  return { width, height, from, shares };
}

/** Rectifies an RGB picture, bilinearly; black where the camera did not look. */
export function rectify(rgb: Uint8Array, out: Uint8Array, map: RectifyMap): void {
  const { from, shares, width } = map;
  const below = 3 * width;
  for (let i = 0; i < from.length; i++) {
    const at = from[i] as number;
    const to = 3 * i;
    if (at < 0) {
      out[to] = 0;
      out[to + 1] = 0;
      out[to + 2] = 0;
      continue;
    }
    const right = shares[2 * i] as number;
    const down = shares[2 * i + 1] as number;
    const [w11, w01, w10] = [right * down, (steps - right) * down, right * (steps - down)];
    const w00 = steps * steps - w11 - w01 - w10;
    for (let c = 0, p = 3 * at; c < 3; c++, p++) {
      const sum =
        w00 * (rgb[p] as number) +
        w10 * (rgb[p + 3] as number) +
        w01 * (rgb[p + below] as number) +
        w11 * (rgb[p + below + 3] as number);
      out[to + c] = (sum + 32_768) >> 16;
    }
  }
}
