import { basename } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame, DepthMap, ImageFrame } from '../core/frame.ts';
import { scaleNearest } from '../depth/geometry.ts';
import {
  DepthMetrics,
  type DepthMetricsResult,
  type DepthRange,
  type FrameErrors,
  frameErrors,
  medianScale,
} from '../depth/metrics.ts';
import type { DepthEstimator } from '../inference/estimator.ts';
import { isRelative } from '../inference/tensors.ts';
import { LatencyRecorder, type Percentiles } from '../runtime/latency.ts';
import { squeezeNearest } from './paper-view.ts';
import { type RgbdOptions, type RgbdPair, readRgbd } from './rgbd-folder.ts';

export interface EvaluationOptions extends RgbdOptions {
  /** Ground truth to compare with, metres; default: all valid depth. */
  readonly range?: DepthRange;
  /** Mean over frames (default), or over pixels; see `DepthMetrics`. */
  readonly average?: 'frames' | 'pixels';
  readonly signal?: AbortSignal;
  /** Called after each frame. */
  readonly onFrame?: () => void;
}

/** One frame by one model. */
export interface FrameResult {
  readonly frame: string;
  /** `undefined` if the frame has no pixel to compare. */
  readonly errors: FrameErrors | undefined;
  /** With the prediction scaled to the truth's median. */
  readonly scaled: FrameErrors | undefined;
  /** Time of the model, milliseconds. */
  readonly ms: number;
}

/** One model on one set. */
export interface ModelResult {
  readonly model: string;
  readonly sha256: string;
  /** The model outputs depth without a unit; only the scaled errors are meaningful. */
  readonly relative: boolean;
  readonly errors: DepthMetricsResult;
  /** With each prediction scaled to the truth's median. */
  readonly scaled: DepthMetricsResult;
  /** Mean share of valid truth pixels that have a prediction, 0 to 1. */
  readonly coverage: number;
  /** Time of the model per frame, milliseconds. */
  readonly latencyMs: Percentiles | undefined;
  readonly frames: readonly FrameResult[];
}

/** Several models on one set. */
export interface SetResult {
  readonly set: string;
  /** Frames read. */
  readonly frames: number;
  readonly models: readonly ModelResult[];
}

/** A frame as a model saw it, with truth and prediction of the same size. */
export interface Comparison {
  readonly image: ImageFrame;
  readonly truth: DepthMap;
  readonly depth: DepthFrame;
}

/**
 * Measures models on an RGB-D set, with the inference of `estimate-depth`: one frame and one model
 * at a time, so that they do not affect each other's latency.
 *
 * @throws DepthlineError `SOURCE` if a frame cannot be read, `MODEL` if a model fails on it
 */
export async function evaluateSet(
  set: string,
  pairs: readonly RgbdPair[],
  estimators: readonly DepthEstimator[],
  options: EvaluationOptions,
): Promise<SetResult> {
  const tallies = estimators.map((estimator) => new Tally(estimator, options));
  let frames = 0;
  for (const [seq, pair] of pairs.entries()) {
    if (options.signal?.aborted) break;
    const frame = await readRgbd(pair, seq, options);
    for (const tally of tallies) await tally.add(pair.name, frame);
    frames++;
    options.onFrame?.();
  }
  return { set, frames, models: tallies.map((tally) => tally.result()) };
}

/** The estimate of a frame, with the ground truth of the part that the model saw. */
export async function compare(
  estimator: DepthEstimator,
  frame: ImageFrame,
  { crop }: RgbdOptions = {},
): Promise<Comparison> {
  const { input } = estimator.model.manifest;
  const seen = crop === 'paper' ? squeezeNearest(frame, input) : frame;
  const depth = await estimator.estimate(seen);
  if (!depth.truth || !depth.image) throw new DepthlineError('SOURCE', 'the frame has no truth');
  return { image: depth.image, truth: scaleNearest(depth.truth, depth), depth };
}

class Tally {
  readonly #estimator: DepthEstimator;
  readonly #options: EvaluationOptions;
  readonly #metrics: DepthMetrics;
  readonly #scaled: DepthMetrics;
  readonly #latency = new LatencyRecorder();
  readonly #frames: FrameResult[] = [];

  constructor(estimator: DepthEstimator, options: EvaluationOptions) {
    this.#estimator = estimator;
    this.#options = options;
    this.#metrics = new DepthMetrics(options.average);
    this.#scaled = new DepthMetrics(options.average);
  }

  async add(name: string, frame: ImageFrame): Promise<void> {
    const { truth, depth } = await compare(this.#estimator, frame, this.#options);
    const { range } = this.#options;
    const errors = frameErrors(depth.data, truth.data, { range });
    const scale = medianScale(depth.data, truth.data, range);
    const scaled = frameErrors(depth.data, truth.data, { range, scale });
    if (errors) this.#metrics.addErrors(errors);
    if (scaled) this.#scaled.addErrors(scaled);
    const ms = depth.timings?.['estimate-depth'] ?? 0;
    this.#latency.record(ms);
    this.#frames.push({ frame: name, errors, scaled, ms });
  }

  result(): ModelResult {
    const { manifest, sha256 } = this.#estimator.model;
    const covered = this.#frames.flatMap(({ errors }) => (errors ? [errors.coverage] : []));
    return {
      model: manifest.name,
      sha256,
      relative: isRelative(manifest.output),
      errors: this.#metrics.result(),
      scaled: this.#scaled.result(),
      coverage: covered.reduce((sum, share) => sum + share, 0) / covered.length,
      latencyMs: this.#latency.percentiles(),
      frames: this.#frames,
    };
  }
}

/** Name of a set from its folder. */
export function setName(folder: string): string {
  return basename(folder.replace(/\/+$/, '')) || folder;
}
