import type { Size } from '../core/size.ts';

/*
 * Lossless coding of uint16 depth: for the browser, the depth topic and NATS. Each pixel is predicted
 * from its neighbours as left + above - above left, which is exact on a plane; outside the picture all
 * is 0. The differences are folded to small positive numbers and split into low and high bytes, so that
 * deflate and zstd find long runs. All arithmetic is modulo 2^16.
 */

/** Differences of `height × width` values to their predictions: all low bytes, then all high bytes. */
export function toResiduals(values: Uint16Array, { width }: Size): Uint8Array<ArrayBuffer> {
  const count = values.length;
  const out = new Uint8Array(2 * count);
  for (let row = 0; row < count; row += width) {
    let left = 0;
    let aboveLeft = 0;
    for (let i = row; i < row + width; i++) {
      const value = values[i] as number;
      const above = row > 0 ? (values[i - width] as number) : 0;
      const difference = ((value - left - above + aboveLeft) << 16) >> 16;
      const folded = (difference << 1) ^ (difference >> 15);
      out[i] = folded;
      out[count + i] = folded >> 8;
      left = value;
      aboveLeft = above;
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
  for (let row = 0; row < count; row += width) {
    let left = 0;
    let aboveLeft = 0;
    for (let i = row; i < row + width; i++) {
      const folded = (residuals[i] as number) | ((residuals[count + i] as number) << 8);
      const above = row > 0 ? (values[i - width] as number) : 0;
      left = (left + above - aboveLeft + ((folded >>> 1) ^ -(folded & 1))) & 0xffff;
      values[i] = left;
      aboveLeft = above;
    }
  }
  return values;
}
