import { type Measured, measured } from '../src/benchmark/statistics.ts';
import type { ImageFrame } from '../src/core/frame.ts';
import { calibrate } from '../src/depth/calibration.ts';
import { scaleNearest } from '../src/depth/geometry.ts';
import { type KnownDepth, type Line, median, NoCalibration } from '../src/depth/known-depth.ts';
import { formOf } from '../src/evaluation/calibrate-model.ts';
import { findRgbdPairs, readRgbd } from '../src/evaluation/rgbd-folder.ts';
import { DepthEstimator } from '../src/index.ts';
import type { Bench, BenchOptions } from './support/bench.ts';
import { rooms } from './support/rooms.ts';

/** Pictures, each in another room; some give the distances, the model is then judged on all others. */
const mostPictures = 30;
const points = 5;
const pixelsPerPicture = 300;

type Form = 'inverse' | 'metric';

/**
 * How wrong a model is in rooms that its calibration has not seen: median of |depth − truth| / truth over their
 * pixels. In rendered rooms, or in those of a folder with `rgb/` and `depth/` (`--rgbd`). The last two
 * lines are floors: no calibration of the whole model can be below the first, no factor below the second.
 */
export const calibration: Bench = {
  name: 'calibrate',
  summary:
    'median relative error in rooms that were not used, after calibrating with five distances',
  async run(options, print) {
    const estimator = await DepthEstimator.open({ model: options.model, raw: true });
    const { manifest } = estimator.model;
    const form = formOf(manifest);
    const log = manifest.output.meaning === 'log';
    const known: KnownDepth[][] = [];
    for await (const picture of pictures(options)) {
      const { data, truth, ...size } = await estimator.estimate(picture);
      if (!truth) continue;
      const { data: metres } = scaleNearest(truth, size);
      const step = Math.ceil(data.length / pixelsPerPicture) | 1;
      const pairs: KnownDepth[] = [];
      for (let i = 0; i < data.length; i += step) {
        const x = data[i] as number;
        const pair = { x: log ? Math.exp(x) : x, metres: metres[i] as number };
        if (pair.metres > 0 && (form === 'inverse' || pair.x > 0))
          pairs.push({ ...pair, picture: known.length });
      }
      if (pairs.length >= points) known.push(pairs);
    }
    await estimator.close();
    if (form === 'metric') print('as it is', '', one(errorOf(asItIs, known.flat(), form)));
    for (const used of [1, 2, points]) {
      const errors = Array.from({ length: options.rounds }, (_, round) => {
        const chosen = known.map((_, i) => (i * 7 + round * 3) % known.length).slice(0, used);
        const line = calibrated(
          chosen.flatMap((i, n) => spread(known[i] ?? [], share(n, used))),
          form,
        );
        const others = known.filter((_, i) => !chosen.includes(i)).flat();
        return line ? errorOf(line, others, form) : Number.NaN;
      });
      const refused = errors.filter(Number.isNaN).length;
      const what = `${points} distances on ${used} picture${used > 1 ? 's' : ''}`;
      const found = errors.filter((error) => !Number.isNaN(error));
      if (found.length > 0) print(what, refused > 0 ? `(${refused} refused)` : '', measured(found));
    }
    print(
      'all distances of all pictures',
      '',
      one(errorOf(calibrated(known.flat(), form) ?? asItIs, known.flat(), form)),
    );
    const each = known.flatMap((pairs) => {
      const line = form === 'metric' ? bestFactor(pairs) : (calibrated(pairs, form) ?? asItIs);
      return pairs.map((pair) => errorOf(line, [pair], form));
    });
    const what = form === 'metric' ? 'factor' : 'scale and shift';
    print(`the best ${what} for each picture`, '', one(median(each)));
  },
};

const asItIs: Line = { scale: 1, shift: 0 };

async function* pictures({ rgbd }: BenchOptions): AsyncGenerator<ImageFrame> {
  if (rgbd === undefined) {
    const shoot = rooms();
    for (let i = 0; i < mostPictures; i++) yield shoot(i);
    return;
  }
  const pairs = await findRgbdPairs(rgbd, process.cwd());
  const every = Math.ceil(pairs.length / mostPictures);
  for (const [i, pair] of pairs.entries()) if (i % every === 0) yield await readRgbd(pair, i);
}

/** How many of the points are on the n-th picture. */
function share(n: number, used: number): number {
  return Math.floor(((n + 1) * points) / used) - Math.floor((n * points) / used);
}

/** Near, far, and between, as somebody who measures would choose. */
function spread(pairs: readonly KnownDepth[], count: number): KnownDepth[] {
  const sorted = pairs.toSorted((a, b) => a.metres - b.metres);
  return Array.from({ length: count }, (_, i) => {
    return sorted[Math.floor(((i + 0.5) * sorted.length) / count)] as KnownDepth;
  });
}

function calibrated(known: readonly KnownDepth[], form: Form): Line | undefined {
  try {
    return calibrate(known, form);
  } catch (error) {
    if (error instanceof NoCalibration) return undefined;
    throw error;
  }
}

function bestFactor(pairs: readonly KnownDepth[]): Line {
  return { scale: median(pairs.map(({ x, metres }) => metres / x)), shift: 0 };
}

function errorOf({ scale, shift }: Line, pairs: readonly KnownDepth[], form: Form): number {
  return median(
    pairs.map(({ x, metres }) => {
      const value = scale * x + shift;
      const depth = form === 'metric' ? value : 1 / value;
      return depth > 0 ? Math.abs(depth - metres) / metres : 1;
    }),
  );
}

function one(value: number): Measured {
  return measured([value]);
}
