import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { measured } from '../src/benchmark/statistics.ts';
import type { DepthFrame } from '../src/core/frame.ts';
import { flickerBetween } from '../src/depth/flicker.ts';
import { createSmoother, type SmoothingOptions } from '../src/depth/smoothing.ts';
import { wholeView } from '../src/depth/view.ts';
import { decodeRgb } from '../src/imaging/decode.ts';
import { DepthEstimator, type ImageFrame } from '../src/index.ts';
import { Random } from '../src/synthetic/random.ts';
import type { Bench } from './support/bench.ts';
import { rooms } from './support/rooms.ts';

const frames = 30;
/**
 * Standard deviation of the sensor noise, grey levels. Between consecutive frames of a camera that stands still
 * (NYU Depth v2, scaled to 224×224) it is 1 to 2.1.
 */
const noise = 2;
/** What a part of the picture does in the second half of the step response: comes nearer by this factor. */
const step = 0.6;
const reached = 0.05;

const methods: Readonly<Record<string, SmoothingOptions | undefined>> = {
  'not smoothed': undefined,
  ...Object.fromEntries(
    (['ema', 'median', 'motion'] as const).map((method) => [
      method,
      { method, alpha: 0.4, window: 5, motionThreshold: 0.1, sceneCut: 0.35, hold: 5 },
    ]),
  ),
};

/**
 * What `smooth` gains and costs over time: flicker of depth that is estimated from a still picture with the noise
 * of a sensor, and the frames that a sudden change of depth takes. The pictures are rendered rooms, or the
 * photographs in the folder that DEPTHLINE_PHOTOS names.
 */
export const smoothing: Bench = {
  name: 'smoothing',
  summary: `flicker of a still picture with sensor noise (σ ${noise} of 255), and the step response, by method`,
  async run({ rounds, model }, print) {
    const estimator = await DepthEstimator.open({ model });
    const scenes: DepthFrame[][] = [];
    for (const picture of await pictures(rounds)) {
      const random = new Random(scenes.length + 1);
      const scene: DepthFrame[] = [];
      for (let n = 0; n < frames; n++) scene.push(await estimator.estimate(noisy(picture, random)));
      scenes.push(scene);
    }
    await estimator.close();
    for (const [name, options] of Object.entries(methods)) {
      const flickers = scenes.map((scene) => flicker(smoothed(scene, options)));
      print(`${name}: flicker, relative to depth`, '%', measured(flickers.map((f) => f * 100)));
      const lags = scenes.map((scene) => lag(scene, options));
      print(`${name}: step to ${step}, frames until within 5 %`, 'frames', measured(lags));
    }
  },
};

async function pictures(count: number): Promise<ImageFrame[]> {
  const shoot = rooms();
  const rendered = Array.from({ length: count }, (_, index) => shoot(index));
  const folder = process.env.DEPTHLINE_PHOTOS;
  if (!folder) return rendered;
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();
  if (names.length === 0) throw new Error(`no photographs in ${folder}`);
  const apart = Math.max(1, Math.floor(names.length / count));
  const chosen = names.filter((_, index) => index % apart === 0).slice(0, count);
  return Promise.all(
    chosen.map(async (name): Promise<ImageFrame> => {
      const { width, height, data } = await decodeRgb(join(folder, name));
      const { kind, seq, pts, capturedAt, format } = rendered[0] as ImageFrame;
      const view = wholeView({ width, height });
      return { kind, seq, pts, capturedAt, format, source: name, width, height, data, view };
    }),
  );
}

function noisy(picture: ImageFrame, random: Random): ImageFrame {
  const data = new Uint8Array(picture.data.length);
  // The sum of twelve uniform numbers less 6 is near enough to a normal distribution; a picture shrinks
  // to the network's size, so the noise there is made to be `noise` by one value per network pixel.
  const [sx, sy] = [picture.width / 224, picture.height / 224];
  const grain = Float32Array.from({ length: 224 * 224 * 3 }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.next();
    return sum * noise;
  });
  for (let y = 0, i = 0; y < picture.height; y++) {
    const row = Math.min(223, Math.floor(y / sy)) * 224;
    for (let x = 0; x < picture.width; x++) {
      const at = (row + Math.min(223, Math.floor(x / sx))) * 3;
      for (let c = 0; c < 3; c++, i++) {
        const value = (picture.data[i] as number) + (grain[at + c] as number);
        data[i] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
  return { ...picture, data };
}

function smoothed(
  scene: readonly DepthFrame[],
  options: SmoothingOptions | undefined,
): DepthFrame[] {
  if (!options) return [...scene];
  const smoother = createSmoother(options);
  return scene.map((frame) => ({ ...frame, data: smoother.next(frame) }));
}

/** Mean over the frames behind the first third, in which an average settles. */
function flicker(scene: readonly DepthFrame[]): number {
  let sum = 0;
  const from = Math.ceil(frames / 3);
  for (let n = from; n < scene.length; n++) {
    // Every pixel is static, whatever its noise.
    sum += flickerBetween(scene[n - 1] as DepthFrame, scene[n] as DepthFrame, 255)?.relative ?? 0;
  }
  return sum / (scene.length - from);
}

/** Frames after the first one that shows the change until the changed part is right. 0: the same frame. */
function lag(scene: readonly DepthFrame[], options: SmoothingOptions | undefined): number {
  const half = Math.floor(frames / 2);
  const moved = scene.map((frame, n) => (n < half ? frame : { ...frame, data: nearer(frame) }));
  const shown = smoothed(moved, options);
  for (let n = half; n < shown.length; n++) {
    if (deviation(shown[n] as DepthFrame, moved[n] as DepthFrame) <= reached) return n - half;
  }
  return shown.length;
}

/** A quarter of the picture, in its middle. */
function inMiddle(i: number, width: number, height: number): boolean {
  const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
  return Math.abs(x - 0.5) < 0.25 && Math.abs(y - 0.5) < 0.25;
}

function nearer({ data, width, height }: DepthFrame): Float32Array {
  return data.map((metres, i) => (inMiddle(i, width, height) ? metres * step : metres));
}

function deviation(a: DepthFrame, b: DepthFrame): number {
  let [sum, n] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    if (!inMiddle(i, a.width, a.height) || !b.data[i]) continue;
    sum += Math.abs((a.data[i] as number) / (b.data[i] as number) - 1);
    n++;
  }
  return sum / n;
}
