import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthFrame } from '../core/frame.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { type Calibration, calibrate, inlierError } from '../depth/calibration.ts';
import { scaleNearest } from '../depth/geometry.ts';
import { type CalibrationForm, type KnownDepth, NoCalibration } from '../depth/known-depth.ts';
import { viewOf } from '../depth/view.ts';
import { writeOver, writeOwn } from '../files/own-file.ts';
import { sinkError } from '../files/write-problem.ts';
import { decodeRgb } from '../imaging/decode.ts';
import { DepthEstimator } from '../inference/estimator.ts';
import type { Manifest } from '../inference/manifest.ts';
import type { ModelFiles } from '../inference/model-files.ts';
import type { KnownPoint } from './known-points.ts';
import { type RgbdOptions, type RgbdPair, readRgbd } from './rgbd-folder.ts';

export interface CalibrationSource {
  readonly points: readonly KnownPoint[];
  readonly pairs: readonly RgbdPair[];
  readonly rgbd?: RgbdOptions;
  readonly baseDirectory: string;
  readonly signal?: AbortSignal;
}

export interface CalibratedModel {
  readonly calibration: Calibration;
  readonly model: ModelFiles;
  /** What makes the result doubtful, a sentence each. */
  readonly warnings: readonly string[];
}

/** Pixels of each RGB-D frame that are compared. */
const pixelsPerFrame = 400;

/**
 * Scale and shift of a model, from points of known distance and RGB-D frames.
 *
 * @throws DepthlineError `SOURCE` if a picture cannot be read, or the points do not determine the
 *   calibration
 */
export async function calibrateModel(
  model: string,
  source: CalibrationSource,
): Promise<CalibratedModel> {
  const { baseDirectory } = source;
  const estimator = await DepthEstimator.open({ model, baseDirectory, raw: true });
  try {
    const { manifest } = estimator.model;
    const points = distinct(source);
    const known = [
      ...(await knownPoints(estimator, { ...source, points })),
      ...(await knownPixels(estimator, source)),
    ];
    const { scale = 1, shift = 0 } = manifest.output;
    const calibration = calibrate(
      known.map((pair) => ({ ...pair, x: linear(pair.x, manifest) })),
      formOf(manifest),
      shift === 0 ? scale : 1,
    );
    const warnings = doubts(calibration, points);
    return { calibration, model: estimator.model, warnings };
  } catch (error) {
    if (!(error instanceof NoCalibration)) throw error;
    throw new DepthlineError('SOURCE', `${model} cannot be calibrated: ${error.message}`);
  } finally {
    await estimator.close();
  }
}

export function formOf({ output }: Manifest): CalibrationForm {
  const inverse = output.meaning === 'inverse-relative' || output.meaning === 'disparity';
  return inverse ? 'inverse' : 'metric';
}

/** The output in the form that scale and shift apply to. */
function linear(x: number, { output }: Manifest): number {
  if (output.meaning === 'log') return Math.exp(x);
  // 0 is what a metric network gives where it knows nothing.
  return output.meaning === 'metres' && x <= 0 ? Number.NaN : x;
}

/** Each place once. */
function distinct({ points, baseDirectory }: CalibrationSource): readonly KnownPoint[] {
  const places = new Map<string, KnownPoint>();
  for (const point of points) {
    const { picture, x, y, metres } = point;
    const key = `${resolvePath(baseDirectory, picture)}:${x},${y}`;
    const before = places.get(key);
    if (before !== undefined && before.metres !== metres) {
      const message = `the point ${x},${y} of ${picture} is given with two distances, ${before.metres} m and ${metres} m; remove one`;
      throw new DepthlineError('CONFIG', message);
    }
    places.set(key, point);
  }
  return [...places.values()];
}

/** Share of the distances that fit, up to which the result is doubtful. */
const mostDoubtful = 0.5;
const mostNamed = 5;

/** @param points the first pairs of the calibration */
function doubts(
  { pairs, inliers, errors }: Calibration,
  points: readonly KnownPoint[],
): readonly string[] {
  const warnings: string[] = [];
  if (inliers <= mostDoubtful * pairs) {
    warnings.push(
      `only ${inliers} of ${pairs} known distances are within ${100 * inlierError} %: do not rely on these metres. The distances may be wrong, or the model sees these pictures at different scales`,
    );
  }
  const wrong = points.flatMap((point, i) => {
    const error = errors[i] as number;
    return error <= inlierError ? [] : [{ point, error }];
  });
  const worst = wrong.toSorted((a, b) => order(b.error) - order(a.error)).slice(0, mostNamed);
  for (const { point, error } of worst) {
    const { picture, x, y, metres } = point;
    const why = Number.isNaN(error)
      ? 'was not used: the model gives no depth there'
      : `is off by ${Math.round(100 * error)} %: check the place and the distance`;
    warnings.push(`${picture}:${x},${y}=${metres}m ${why}`);
  }
  if (wrong.length > worst.length) warnings.push(`so are ${wrong.length - worst.length} more`);
  return warnings;
}

function order(error: number): number {
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

async function knownPoints(
  estimator: DepthEstimator,
  { points, baseDirectory, signal }: CalibrationSource,
): Promise<KnownDepth[]> {
  const found = new Map<KnownPoint, KnownDepth>();
  for (const picture of new Set(points.map((point) => point.picture))) {
    signal?.throwIfAborted();
    const { width, height, data } = await decodeRgb(resolvePath(baseDirectory, picture)).catch(
      (error: unknown) => {
        throw new DepthlineError('SOURCE', `cannot read ${picture}: ${reason(error)}`);
      },
    );
    const depth = await estimator.estimate({ width, height, data, format: 'rgb' });
    for (const point of points.filter((one) => one.picture === picture)) {
      const x = outputAt(depth, point, { width, height });
      found.set(point, { x, metres: point.metres, picture });
    }
  }
  return points.map((point) => found.get(point) as KnownDepth);
}

/** Median output of the 3×3 pixels around a place of the source's picture. */
function outputAt(
  depth: DepthFrame,
  { picture, x, y }: KnownPoint,
  { width, height }: { readonly width: number; readonly height: number },
): number {
  const at = `the point ${x},${y} of ${picture}`;
  if (x >= width || y >= height) {
    throw new DepthlineError('CONFIG', `${at} is outside the picture, which is ${width}×${height}`);
  }
  const view = viewOf(depth);
  const column = Math.floor(((x + 0.5 - view.left) / view.width) * depth.width);
  const row = Math.floor(((y + 0.5 - view.top) / view.height) * depth.height);
  if (column < 0 || row < 0 || column >= depth.width || row >= depth.height) {
    const [left, top] = [Math.ceil(view.left), Math.ceil(view.top)];
    const [right, bottom] = [view.left + view.width, view.top + view.height].map(Math.floor);
    const seen = `x from ${left} to ${(right as number) - 1}, y from ${top} to ${(bottom as number) - 1}`;
    throw new DepthlineError('CONFIG', `${at} is outside what the model sees: ${seen}`);
  }
  const values: number[] = [];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const [c, r] = [column + dx, row + dy];
      if (c < 0 || r < 0 || c >= depth.width || r >= depth.height) continue;
      values.push(depth.data[r * depth.width + c] as number);
    }
  }
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function knownPixels(
  estimator: DepthEstimator,
  { pairs, rgbd, signal }: CalibrationSource,
): Promise<KnownDepth[]> {
  const known: KnownDepth[] = [];
  for (const [seq, pair] of pairs.entries()) {
    signal?.throwIfAborted();
    const depth = await estimator.estimate(await readRgbd(pair, seq, rgbd));
    if (!depth.truth) continue;
    const truth = scaleNearest(depth.truth, depth);
    // An odd step, so that the pixels do not all lie in a few columns.
    const step = Math.ceil(depth.data.length / pixelsPerFrame) | 1;
    for (let i = 0; i < depth.data.length; i += step) {
      const metres = truth.data[i] as number;
      if (metres > 0) known.push({ x: depth.data[i] as number, metres, picture: seq });
    }
  }
  return known;
}

/** Stands in every file that this command writes, and allows it to replace the file. */
export const manifestMark = '# Written by "depthline calibrate".';

/**
 * Writes a manifest that gives the model's depth in metres.
 *
 * @param path of the manifest; it names the model's file relative to its folder
 * @param force replace a file that this command did not write
 * @throws NameTaken if the path is taken by another file
 */
export async function writeCalibration(
  path: string,
  { manifest, path: file }: ModelFiles,
  calibration: Calibration,
  force: boolean,
): Promise<void> {
  const { medianAbsRel, pairs, inliers } = calibration;
  const scale = rounded(calibration.scale);
  const shift = rounded(calibration.shift);
  const { range, scale: _, shift: __, meaning, ...output } = manifest.output;
  // The scores of the model as it is do not hold for it calibrated.
  const { metrics, card, training, ...model } = manifest as Manifest & Record<string, unknown>;
  const text = stringify({
    ...model,
    name: basename(path, extname(path)),
    file: pathFrom(dirname(path), file),
    output: {
      ...output,
      // In this form, scale and shift both apply to inverse depth.
      meaning: meaning === 'disparity' ? 'inverse-relative' : meaning,
      ...(range && { range: calibratedRange(manifest, { scale, shift }) }),
      scale,
      shift,
    },
  });
  const comment = `# Median relative error ${medianAbsRel.toFixed(3)} over ${pairs} known distances, ${inliers} of them within 15 %.`;
  const content = `${manifestMark}\n${comment}\n${text}`;
  try {
    await (force ? writeOver(path, content) : writeOwn(path, content, manifestMark));
  } catch (error) {
    throw sinkError(path, error);
  }
}

/** The limits of a metric model, calibrated like its depth. An inverse one keeps its own. */
function calibratedRange(
  manifest: Manifest,
  { scale, shift }: { readonly scale: number; readonly shift: number },
): readonly [number, number] {
  const [low, high] = manifest.output.range as readonly [number, number];
  if (formOf(manifest) === 'inverse') return [low, high];
  const { scale: before = 1, shift: offset = 0 } = manifest.output;
  // The range is that of depth calibrated before.
  const limit = (metres: number) => rounded(scale * ((metres - offset) / before) + shift);
  const lowest = Math.max(0, limit(low));
  return [lowest, Math.max(limit(high), lowest + 1e-3)];
}

function rounded(value: number): number {
  return Number(value.toPrecision(7));
}

function pathFrom(folder: string, file: string): string {
  const way = relative(folder, file);
  return isAbsolute(way) ? file : way;
}

/** `NAME-calibrated.yaml` beside the model's manifest. */
export function defaultManifest({ manifestPath }: ModelFiles): string {
  const stem = basename(manifestPath, extname(manifestPath)).replace(/-calibrated$/, '');
  return resolve(join(dirname(manifestPath), `${stem}-calibrated.yaml`));
}
