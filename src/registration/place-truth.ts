import type { DepthMap, View } from '../core/frame.ts';
import { gridOf, type Placed } from './grid.ts';

/**
 * Ground truth of a part of the source on the pixels of another: the nearest measured value, so that none
 * is made up; 0, invalid, where that part does not reach.
 */
export function placeTruth(truth: DepthMap, view: View, target: Placed): DepthMap {
  const { width, height } = target.size;
  const { columns, rows } = gridOf(target, { size: truth, view });
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = rows.nearest[y] as number;
    if (row < 0) continue;
    for (let x = 0; x < width; x++) {
      const column = columns.nearest[x] as number;
      if (column >= 0) data[y * width + x] = truth.data[row * truth.width + column] as number;
    }
  }
  return { width, height, data };
}
