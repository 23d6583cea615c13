import { measured } from '../src/benchmark/statistics.ts';
import { scaleNearest } from '../src/depth/geometry.ts';
import { frameErrors, medianScale } from '../src/depth/metrics.ts';
import { DepthEstimator, type ImageFrame } from '../src/index.ts';
import { covers } from '../src/inference/cover.ts';
import type { Bench } from './support/bench.ts';
import { rooms } from './support/rooms.ts';

/** What `cover` of estimate-depth costs and gives, on rooms in 16:9 before a network of a 4:3 view. */
export const cover: Bench = {
  name: 'cover',
  summary: 'accuracy on rooms of 1280×720 by the part that the network sees',
  async run({ rounds, model }, print) {
    const shoot = rooms();
    const pictures = Array.from({ length: rounds }, (_, index) => shoot(index));
    for (const cover of covers) {
      const estimator = await DepthEstimator.open({ model, cover });
      const results: Awaited<ReturnType<typeof measure>>[] = [];
      for (const picture of pictures) results.push(await measure(estimator, picture));
      await estimator.close();
      const of = (key: keyof (typeof results)[number]) => measured(results.map((one) => one[key]));
      print(`${cover}: of the picture`, '', of('share'));
      print(`${cover}: absRel`, '', of('absRel'));
      print(`${cover}: absRel, scaled to the median of the truth`, '', of('scaled'));
      print(`${cover}: RMSE`, 'm', of('rmse'));
      print(`${cover}: time of the network`, 'ms/frame', of('ms'));
    }
  },
};

async function measure(estimator: DepthEstimator, picture: ImageFrame) {
  await estimator.estimate(picture);
  const depth = await estimator.estimate(picture);
  const truth = scaleNearest(depth.truth as NonNullable<typeof depth.truth>, depth).data;
  const scale = medianScale(depth.data, truth) as number;
  const errors = frameErrors(depth.data, truth);
  const scaled = frameErrors(depth.data, truth, { scale });
  const { width, height, source } = depth.view as NonNullable<typeof depth.view>;
  return {
    share: (width * height) / (source.width * source.height),
    absRel: errors?.absRel as number,
    rmse: errors?.rmse as number,
    scaled: scaled?.absRel as number,
    ms: depth.timings?.['estimate-depth'] as number,
  };
}
