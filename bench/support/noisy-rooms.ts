import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { scaleRgb } from '../../src/imaging/scale-rgb.ts';
import { DepthEstimator } from '../../src/index.ts';
import { Random } from '../../src/synthetic/random.ts';
import { rooms } from './rooms.ts';

export const noisySize = { width: 224, height: 224 };

/** Standard deviation of the sensor noise, grey levels: without it a rendered picture is too simple. */
const noise = 2;

const different = 12;

/** Pictures of noisy rooms, 30 per second, and the depth that a model estimates of them. */
export async function noisyDepth(count: number, model: string): Promise<DepthFrame[]> {
  const estimator = await DepthEstimator.open({ model });
  const all: DepthFrame[] = [];
  for (const picture of await noisyRooms(count)) {
    const { seq, pts, capturedAt } = picture;
    all.push({ ...(await estimator.estimate(picture)), ...{ seq, pts, capturedAt } });
  }
  await estimator.close();
  return all;
}

/** Pictures of rendered rooms with the noise of a sensor; always the same. */
async function noisyRooms(count: number): Promise<ImageFrame[]> {
  const shoot = rooms();
  const random = new Random(5);
  const clean: ImageFrame[] = [];
  for (let index = 0; index < Math.min(count, different); index++)
    clean.push(await small(shoot(index)));
  const all: ImageFrame[] = [];
  for (let seq = 0; seq < count; seq++) {
    const {
      truth: _,
      intrinsics: __,
      view: ___,
      ...picture
    } = noisy(clean[seq % different] as ImageFrame, random);
    const time = BigInt(seq) * 33_333_333n;
    all.push({ ...picture, ...{ seq, pts: time, capturedAt: time } });
  }
  return all;
}

async function small(picture: ImageFrame): Promise<ImageFrame> {
  return { ...picture, ...noisySize, data: await scaleRgb(picture, noisySize) };
}

function noisy(picture: ImageFrame, random: Random): ImageFrame {
  const data = Uint8ClampedArray.from(picture.data, (value) => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.next();
    return value + sum * noise;
  });
  return { ...picture, data: new Uint8Array(data.buffer) };
}
