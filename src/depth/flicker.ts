import { createHistogram } from 'node:perf_hooks';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** Change of depth since the previous frame, over static pixels. */
export interface Flicker {
  /** Mean absolute change, metres. */
  readonly metres: number;
  /** Mean absolute change relative to the previous depth. */
  readonly relative: number;
  /** Share of pixels that were compared, 0 to 1. */
  readonly share: number;
}

/**
 * Change of depth between two frames over static pixels: those where no colour channel of the
 * picture changed by more than `threshold` levels, or all valid ones if there is no picture.
 *
 * @returns `undefined` if no pixel can be compared
 */
export function flickerBetween(
  before: DepthFrame,
  now: DepthFrame,
  threshold: number,
): Flicker | undefined {
  const { width, height, data } = now;
  if (before.width !== width || before.height !== height) return undefined;
  const moved = movement(before.image, now.image);
  let [n, metres, relative] = [0, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const a = before.data[i] as number;
      const b = data[i] as number;
      if (!isValidDepth(a) || !isValidDepth(b)) continue;
      if (moved && moved.at((x + 0.5) / width, (y + 0.5) / height) > threshold) continue;
      const change = Math.abs(b - a);
      metres += change;
      relative += change / a;
      n++;
    }
  }
  return n === 0
    ? undefined
    : { metres: metres / n, relative: relative / n, share: n / data.length };
}

function movement(before: ImageFrame | undefined, now: ImageFrame | undefined) {
  if (!before || !now) return undefined;
  const { width, height, format } = now;
  if (before.width !== width || before.height !== height || before.format !== format) {
    return undefined;
  }
  const step = format === 'rgba' ? 4 : 3;
  const [a, b] = [before.data, now.data];
  return {
    /** Largest change of a channel at a position given in shares of width and height. */
    at(u: number, v: number): number {
      const i = (Math.floor(v * height) * width + Math.floor(u * width)) * step;
      return Math.max(
        Math.abs((a[i] as number) - (b[i] as number)),
        Math.abs((a[i + 1] as number) - (b[i + 1] as number)),
        Math.abs((a[i + 2] as number) - (b[i + 2] as number)),
      );
    },
  };
}

/** Mean and 95th percentile of many small numbers, in constant memory. */
export class Spread {
  readonly #histogram = createHistogram();
  #sum = 0;

  add(value: number): void {
    this.#sum += value;
    // Whole numbers from 1 on: millionths.
    this.#histogram.record(Math.max(1, Math.round(value * 1e6)));
  }

  get count(): number {
    return this.#histogram.count;
  }

  result(): { mean: number; p95: number } {
    return { mean: this.#sum / this.count, p95: this.#histogram.percentile(95) / 1e6 };
  }
}
