import type { DepthMap } from '../core/frame.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { centreOfAspect, type FitPlan } from '../depth/fit-plan.ts';
import { type Viewed, viewAspect } from '../depth/view.ts';

export const covers = ['centre', 'squeeze', 'two-views'] as const;
/** Which part of a picture a network sees whose view has another shape. */
export type Cover = (typeof covers)[number];

/** A network's input, and the aspect of the view that is scaled to it. */
interface NetworkInput extends Size {
  readonly view: number;
}

/** Shapes that differ by less are the same. */
const sameShape = 0.01;

/** True if a view of this aspect leaves out a part of the picture. */
export function leavesOut(picture: Viewed, view: number): boolean {
  return Math.abs(viewAspect(picture) / view - 1) > sameShape;
}

/** Two views of one picture, each scaled to the network's input. */
export interface TwoViews {
  /** What they show together, as one picture of their resolution. */
  readonly whole: FitPlan;
  readonly first: FitPlan;
  readonly second: FitPlan;
  /** They lie side by side, or one above the other. */
  readonly along: 'width' | 'height';
  /** Where the second begins, in pixels of the network's input. */
  readonly shift: number;
}

/**
 * Two views with the network's aspect, one from each end of the picture, which overlap. Where the picture
 * is longer than both, its ends are left out.
 */
export function planTwoViews(picture: Viewed, input: NetworkInput): TwoViews {
  const ratio = Math.min(2, Math.max(0.5, viewAspect(picture) / input.view));
  const region = centreOfAspect(picture, ratio * input.view);
  const along = ratio > 1 ? 'width' : 'height';
  const start = ratio > 1 ? 'left' : 'top';
  const shift = Math.round(input[along] * (Math.max(ratio, 1 / ratio) - 1));
  const length = Math.round((region[along] * input[along]) / (input[along] + shift));
  const { width, height } = input;
  const first = { ...region, [along]: length };
  const second = { ...first, [start]: region[start] + region[along] - length };
  return {
    whole: fill(region, { width, height, [along]: input[along] + shift }),
    first: fill(first, { width, height }),
    second: fill(second, { width, height }),
    along,
    shift,
  };
}

function fill(part: Rectangle, size: Size): FitPlan {
  return { part, inner: { left: 0, top: 0, ...size }, size, untouched: false };
}

/**
 * One depth map of two that overlap. A network judges distances in each view anew; so both are first
 * scaled to meet in the middle, by the median of their ratio in the overlap. There the weight then goes
 * smoothly from one to the other, so that there is no seam. Where only one is valid, that one counts.
 *
 * @param shift pixels from the start of `first` to that of `second`, at most their length
 * @param range valid depth of the result, metres; scaling must not lead out of it
 */
export function mergeViews(
  first: DepthMap,
  second: DepthMap,
  { along, shift }: Pick<TwoViews, 'along' | 'shift'>,
  range: readonly [number, number] = [0, Number.POSITIVE_INFINITY],
): DepthMap {
  const { width, height } = first;
  const size = { width, height, [along]: first[along] + shift };
  const data = new Float32Array(size.width * size.height);
  const [across, down] = along === 'width' ? [shift, 0] : [0, shift];
  const overlap = first[along] - shift;
  const scale = Math.sqrt(medianRatio(first, second, across, down));
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const u = x - across;
      const v = y - down;
      const a = x < width && y < height ? (first.data[y * width + x] as number) * scale : 0;
      const b = u >= 0 && v >= 0 ? (second.data[v * width + u] as number) / scale : 0;
      const place = (along === 'width' ? u : v) + 0.5;
      const metres = mix(a, b, smoothStep(place / overlap));
      data[y * size.width + x] = metres && Math.min(range[1], Math.max(range[0], metres));
    }
  }
  return { ...size, data };
}

/** Of `second` to `first` where they overlap; 1 if nothing there is valid in both. */
function medianRatio(first: DepthMap, second: DepthMap, across: number, down: number): number {
  const { width, height } = first;
  // A quarter of the pixels is enough for a median.
  const step = 2;
  const ratios: number[] = [];
  for (let y = down; y < height; y += step) {
    for (let x = across; x < width; x += step) {
      const a = first.data[y * width + x] as number;
      const b = second.data[(y - down) * width + x - across] as number;
      if (isValidDepth(a) && isValidDepth(b)) ratios.push(b / a);
    }
  }
  return Float32Array.from(ratios).sort()[ratios.length >> 1] ?? 1;
}

function mix(a: number, b: number, share: number): number {
  if (!isValidDepth(a)) return isValidDepth(b) ? b : 0;
  if (!isValidDepth(b)) return a;
  return a + (b - a) * share;
}

/** 0 below 0, 1 above 1, and between them without a kink. */
function smoothStep(t: number): number {
  const x = Math.min(1, Math.max(0, t));
  return x * x * (3 - 2 * x);
}
