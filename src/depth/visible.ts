import { isValidDisparity } from './disparity.ts';

/**
 * Sets disparities to 0 whose points the right eye cannot see: those beside its picture, and those that a
 * nearer surface hides. Two points of a row that meet in one column of the right picture lie behind one
 * another; the one of less disparity is hidden.
 *
 * @param disparity of the left picture, pixels, row-major; changed in place
 * @param tolerance difference up to which two points lie on one surface, pixels
 */
export function dropHidden(
  disparity: Float32Array,
  width: number,
  height: number,
  tolerance = 1,
): void {
  const nearest = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    nearest.fill(0);
    for (let x = 0; x < width; x++) {
      const value = disparity[row + x] as number;
      if (!isValidDisparity(value)) continue;
      const there = Math.round(x - value);
      if (there >= 0 && value > (nearest[there] as number)) nearest[there] = value;
    }
    for (let x = 0; x < width; x++) {
      const value = disparity[row + x] as number;
      if (!isValidDisparity(value)) {
        disparity[row + x] = 0;
        continue;
      }
      const there = Math.round(x - value);
      if (there < 0 || (nearest[there] as number) - value > tolerance) disparity[row + x] = 0;
    }
  }
}

/**
 * Sets disparities to 0 that the right eye contradicts: there, `x - d` must have a disparity that leads
 * back to `x`.
 *
 * @param mirrored disparity of the right picture, found in both pictures swapped and mirrored
 * @param tolerance pixels that may be between the two
 */
export function dropContradicted(
  disparity: Float32Array,
  mirrored: Float32Array,
  width: number,
  height: number,
  tolerance = 1,
): void {
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const value = disparity[row + x] as number;
      const there = Math.round(x - value);
      const back =
        isValidDisparity(value) && there >= 0 ? (mirrored[row + width - 1 - there] as number) : 0;
      if (!(Math.abs(back - value) <= tolerance)) disparity[row + x] = 0;
    }
  }
}

/** Writes the rows of a picture from right to left. */
export function mirrorRows(rgb: Uint8Array, out: Uint8Array, width: number, height: number): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      const to = 3 * (y * width + width - 1 - x);
      out[to] = rgb[from] as number;
      out[to + 1] = rgb[from + 1] as number;
      out[to + 2] = rgb[from + 2] as number;
    }
  }
}
