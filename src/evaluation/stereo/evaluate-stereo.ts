import type { DepthMap } from '../../core/frame.ts';
import { centreRectangle, type Rectangle, type Size } from '../../core/size.ts';
import { stereoGeometry, swapDisparity } from '../../depth/disparity.ts';
import { eyeOf } from '../../depth/eye.ts';
import { DepthMetrics, frameErrors } from '../../depth/metrics.ts';
import { viewOf } from '../../depth/view.ts';
import type { DepthEstimator } from '../../inference/estimator.ts';
import { defaultRange, type StereoEstimator } from '../../inference/stereo/stereo-estimator.ts';
import { LatencyRecorder, type Percentiles } from '../../runtime/latency.ts';
import { type DisparityErrors, disparityErrors, fillFromBackground } from './disparity-errors.ts';
import type { SemiGlobalMatching } from './sgm.ts';
import { readStereoPair, type StereoPair, type TruePair } from './stereo-folder.ts';

/** Disparity of a left picture, at its size, in its pixels; or depth. */
export interface Estimate {
  readonly disparity?: Float32Array;
  /** Metres. */
  readonly depth?: Float32Array;
  readonly ms: number;
}

/** A way to estimate depth that is compared with others. */
export interface StereoMethod {
  readonly name: string;
  /** Nothing where it cannot work on this pair. */
  estimate(pair: TruePair): Promise<Estimate | undefined>;
}

export interface StereoMethodResult extends Omit<DisparityErrors, 'pixels'> {
  readonly method: string;
  /** Pairs that it gave a result for. */
  readonly pairs: number;
  /** Of the pixels that have a depth; missing where the pairs have no calibration. */
  readonly delta1?: number;
  /** Metres. */
  readonly rmse?: number;
  readonly latencyMs: Percentiles | undefined;
}

export interface StereoSetResult {
  readonly set: string;
  readonly pairs: number;
  readonly methods: readonly StereoMethodResult[];
}

export interface StereoSetOptions {
  /** Pixels per step of 8-bit disparity. */
  readonly step: number;
  /** Aspect of the part that the networks see, which is the part that is compared. */
  readonly aspect: number | undefined;
  readonly signal?: AbortSignal;
  onPair?(): void;
}

/** Share of a picture that may be left out to keep its shape; beyond it, it is squeezed. */
const mostCropped = 0.1;

/** Whether pictures of this size are cropped, not squeezed, to a network's aspect. */
export function isCropped({ width, height }: Size, aspect: number): boolean {
  const ratio = width / height / aspect;
  return Math.max(ratio, 1 / ratio) <= 1 + mostCropped;
}

/** Compares methods on the pairs of one folder, one after the other. */
export async function evaluateStereo(
  set: string,
  pairs: readonly StereoPair[],
  methods: readonly StereoMethod[],
  options: StereoSetOptions,
): Promise<StereoSetResult> {
  const tallies = methods.map((method) => new Tally(method));
  let count = 0;
  for (const [seq, files] of pairs.entries()) {
    if (options.signal?.aborted) break;
    const pair = await readStereoPair(files, seq, options.step);
    const part = comparedPart(pair.frame, options.aspect);
    for (const tally of tallies) await tally.add(pair, part);
    count++;
    options.onPair?.();
  }
  return { set, pairs: count, methods: tallies.map((tally) => tally.result()) };
}

function comparedPart(size: Size, aspect: number | undefined): Rectangle {
  return aspect !== undefined && isCropped(size, aspect)
    ? centreRectangle(size, aspect)
    : { left: 0, top: 0, width: size.width, height: size.height };
}

type Sum = 'filled' | 'endPoint' | 'bad1' | 'bad2' | 'bad3';

class Tally {
  readonly #method: StereoMethod;
  readonly #sums: Record<Sum, number> = { filled: 0, endPoint: 0, bad1: 0, bad2: 0, bad3: 0 };
  readonly #depth = new DepthMetrics();
  readonly #latency = new LatencyRecorder();
  #pairs = 0;

  constructor(method: StereoMethod) {
    this.#method = method;
  }

  async add(pair: TruePair, part: Rectangle): Promise<void> {
    const estimate = await this.#method.estimate(pair);
    if (!estimate) return;
    const { frame, truth } = pair;
    const geometry = stereoGeometry(frame);
    const { depth, ms } = estimate;
    const disparity =
      estimate.disparity ??
      (depth && geometry ? swapDisparity(depth, geometry, 'disparity') : undefined);
    const errors = disparity && disparityErrors(disparity, truth.data, frame, part);
    if (!disparity || !errors) return;
    this.#pairs++;
    this.#latency.record(ms);
    for (const name of Object.keys(this.#sums) as Sum[]) this.#sums[name] += errors[name];
    if (!geometry) return;
    const metres = depth ?? swapDisparity(disparity, geometry, 'depth');
    const trueMetres = swapDisparity(truth.data, geometry, 'depth');
    const cut = (values: Float32Array) => cutOut({ ...frame, data: values }, part);
    const found = frameErrors(cut(metres).map(withinRange), cut(trueMetres));
    if (found) this.#depth.addErrors(found);
  }

  result(): StereoMethodResult {
    const mean = (name: Sum) => this.#sums[name] / this.#pairs;
    const depth = this.#depth.result();
    return {
      method: this.#method.name,
      pairs: this.#pairs,
      filled: mean('filled'),
      endPoint: mean('endPoint'),
      bad1: mean('bad1'),
      bad2: mean('bad2'),
      bad3: mean('bad3'),
      ...(depth.frames > 0 && { delta1: depth.delta1, rmse: depth.rmse }),
      latencyMs: this.#latency.percentiles(),
    };
  }
}

/** Disparity near 0 is depth without end, which is invalid behind `estimate-stereo`, too. */
function withinRange(metres: number): number {
  return metres <= defaultRange[1] ? metres : 0;
}

function cutOut({ width, data }: DepthMap, part: Rectangle): Float32Array {
  const out = new Float32Array(part.width * part.height);
  for (let y = 0; y < part.height; y++) {
    const from = (part.top + y) * width + part.left;
    out.set(data.subarray(from, from + part.width), y * part.width);
  }
  return out;
}

/** A network for pairs. Its disparity is scaled to the picture, each pixel from the nearest. */
export function networkMethod(
  name: string,
  cropping: StereoEstimator,
  squeezing: StereoEstimator,
): StereoMethod {
  const { width, height } = cropping.model.manifest.input;
  return {
    name,
    async estimate({ frame }) {
      const crops = isCropped(frame, width / height);
      const found = await (crops ? cropping : squeezing).disparity(frame);
      const view = viewOf(found.left);
      // Disparity is in pixels of the result, and becomes one in pixels of the picture.
      const scale = view.width / found.width;
      const scaled = { ...found, data: found.data.map((value) => value * scale) };
      return { disparity: placed(scaled, view, frame), ms: found.ms };
    },
  };
}

/** A network for single pictures, on the left one; only where calibration makes its metres disparity. */
export function monoMethod(estimator: DepthEstimator): StereoMethod {
  return {
    name: `${estimator.model.manifest.name} (left picture alone)`,
    async estimate({ frame }) {
      if (!stereoGeometry(frame)) return undefined;
      const depth = await estimator.estimate(eyeOf(frame, 'left'));
      const ms = depth.timings?.['estimate-depth'] ?? 0;
      return { depth: placed(depth, viewOf(depth), frame), ms };
    },
  };
}

/** Semi-global matching as it comes, and with its holes filled. */
export function classicalMethods(
  matching: SemiGlobalMatching,
  largestShare: number,
): StereoMethod[] {
  let last: { of: TruePair; estimate: Promise<Estimate & { readonly disparity: Float32Array }> };
  const match = (pair: TruePair) => {
    if (last?.of !== pair) {
      const { left, right, width } = pair.frame;
      const found = matching.match(left, right, largestShare * width);
      last = { of: pair, estimate: found.then(({ data, ms }) => ({ disparity: data, ms })) };
    }
    return last.estimate;
  };
  return [
    { name: 'semi-global matching', estimate: match },
    {
      name: 'semi-global matching, holes filled',
      async estimate(pair) {
        const { disparity, ms } = await match(pair);
        return { disparity: fillFromBackground(disparity, pair.frame), ms };
      },
    },
  ];
}

/** Values on the pixels of the whole picture, of which `view` is the part that they show. */
function placed({ width, height, data }: DepthMap, view: Rectangle, size: Size): Float32Array {
  const out = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const v = Math.floor(((y + 0.5 - view.top) * height) / view.height);
    if (v < 0 || v >= height) continue;
    for (let x = 0; x < size.width; x++) {
      const u = Math.floor(((x + 0.5 - view.left) * width) / view.width);
      if (u >= 0 && u < width) out[y * size.width + x] = data[v * width + u] as number;
    }
  }
  return out;
}
