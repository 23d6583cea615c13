import { measured } from '../src/benchmark/statistics.ts';
import type { DepthFrame, DepthMap, ImageFrame } from '../src/core/frame.ts';
import { scaleNearest } from '../src/depth/geometry.ts';
import { medianScale } from '../src/depth/metrics.ts';
import { geometryOf } from '../src/depth/view.ts';
import { type EdgeErrors, edgeErrors } from '../src/evaluation/edge-errors.ts';
import { fitImage } from '../src/imaging/fit.ts';
import { DepthEstimator } from '../src/index.ts';
import { type Method, methods, Upsampler } from '../src/registration/upsample.ts';
import type { Bench } from './support/bench.ts';
import { rooms, roomSize as size } from './support/rooms.ts';

/**
 * Depth placed on the pixels of a picture of 1280×720, compared with the truth at its edges: the true depth
 * that the pixels of the network would hold, and what the network estimates. One room per round.
 */
export const register: Bench = {
  name: 'register',
  summary: 'depth on a picture of 1280×720: errors at the edges of rooms, and CPU time',
  async run({ rounds, model }, print) {
    const shoot = rooms();
    const estimator = await DepthEstimator.open({ model });
    const upsampler = new Upsampler();
    const errors = new Map<string, EdgeErrors[]>();
    const times = new Map<Method, number[]>();
    for (let round = 0; round < rounds; round++) {
      const room = shoot(round);
      const truth = room.truth as DepthMap;
      const estimate = await estimator.estimate(room);
      const inputs = {
        'the true depth': await trueDepth(room, estimate),
        'the network’s depth': scaled(estimate),
      };
      for (const method of methods) {
        for (const [name, depth] of Object.entries(inputs)) {
          const data = place(upsampler, depth, room, method);
          const found = edgeErrors({ ...size, data }, truth);
          if (found) push(errors, `${name}, ${method}`, found);
        }
        push(
          times,
          method,
          cpuMs(() => place(upsampler, estimate, room, method)),
        );
      }
    }
    await estimator.close();
    for (const [name, all] of errors) {
      print(
        `${name}: distance to the true edges`,
        'pixels',
        measured(all.map((one) => one.distance)),
      );
      print(`${name}: RMSE at edges`, 'm', measured(all.map((one) => one.rmse)));
    }
    for (const [method, all] of times) print(`CPU time, ${method}`, 'ms/frame', measured(all));
  },
};

/** The estimate with the median of the truth: edges are where surfaces meet, however far away. */
function scaled(estimate: DepthFrame): DepthFrame {
  const truth = scaleNearest(estimate.truth as DepthMap, estimate).data;
  const scale = medianScale(estimate.data, truth) ?? 1;
  return { ...estimate, data: estimate.data.map((metres) => metres * scale) };
}

/** The nearest true depth at each pixel of the estimate. */
async function trueDepth(room: ImageFrame, estimate: DepthFrame): Promise<DepthFrame> {
  const image = await fitImage(room, estimate, 'stretch', 4 / 3);
  return { ...estimate, data: scaleNearest(image.truth as DepthMap, estimate).data };
}

function place(upsampler: Upsampler, depth: DepthFrame, room: ImageFrame, method: Method) {
  const out = new Float32Array(size.width * size.height);
  const job = {
    depth: { ...depth, ...geometryOf(depth) },
    target: geometryOf(room),
    picture: room,
    method,
  };
  upsampler.run(job, out);
  return out;
}

/** Mean of a few runs behind one that compiles the code. */
function cpuMs(run: () => void): number {
  const runs = 10;
  run();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}
