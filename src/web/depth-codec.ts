import type { Size } from '../core/size.ts';

/*
 * Lossless coding of uint16 depth for the browser. Each pixel is predicted from its neighbours as
 * left + above - above left, which is exact on a plane. The differences are folded to small positive
 * numbers and split into low and high bytes, so that deflate finds long runs.
 */

/** Differences of `height × width` values to their predictions: all low bytes, then all high bytes. */
export function toResiduals(values: Uint16Array, { width, height }: Size): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(2 * values.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const difference = (((values[i] as number) - predict(values, i, x, y, width)) << 16) >> 16;
      const folded = (difference << 1) ^ (difference >> 15);
      out[i] = folded;
      out[values.length + i] = folded >> 8;
    }
  }
  return out;
}

/** @throws RangeError if `residuals` does not have `2 × height × width` bytes */
export function fromResiduals(
  residuals: Uint8Array,
  { width, height }: Size,
): Uint16Array<ArrayBuffer> {
  const count = width * height;
  if (residuals.length !== 2 * count)
    throw new RangeError(`${residuals.length} bytes for a depth map of ${width}×${height}`);
  const values = new Uint16Array(count);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const folded = (residuals[i] as number) | ((residuals[count + i] as number) << 8);
      values[i] = predict(values, i, x, y, width) + ((folded >>> 1) ^ -(folded & 1));
    }
  }
  return values;
}

function predict(values: Uint16Array, i: number, x: number, y: number, width: number): number {
  const left = x > 0 ? (values[i - 1] as number) : 0;
  if (y === 0) return left;
  const above = values[i - width] as number;
  return x === 0 ? above : left + above - (values[i - width - 1] as number);
}
