// A custom operator in code: the nearest obstacle in the left, middle and right third of the
// picture, published on a topic of its own beside the depth.
//
//   node examples/nearest-obstacle.ts        (Node 22.18 or newer runs TypeScript as it is)

import {
  type DataFrame,
  type DepthFrame,
  defineOperator,
  definePipeline,
  derive,
  discard,
  estimateDepth,
  runPipeline,
  smooth,
  testPattern,
  zeromq,
} from 'depthline';
import { map } from 'rxjs';
import { z } from 'zod';

const zones = ['left', 'middle', 'right'] as const;

/** Near depth that ignores single bad pixels: the 2nd percentile of the valid ones, metres. */
function nearest(depth: DepthFrame, zone: number): number | null {
  const from = Math.floor((depth.width * zone) / zones.length);
  const to = Math.floor((depth.width * (zone + 1)) / zones.length);
  const values: number[] = [];
  for (let y = 0; y < depth.height; y += 2) {
    for (let x = from; x < to; x += 2) {
      const metres = depth.data[y * depth.width + x] as number;
      if (metres > 0) values.push(metres);
    }
  }
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length / 50)] ?? null;
}

export const nearestObstacle = defineOperator({
  name: 'nearest-obstacle',
  summary: 'Distance of the nearest obstacle in the left, middle and right third of the picture.',
  accepts: ['depth'],
  emits: ['data'],
  options: z.strictObject({
    warn: z.number().positive().default(0.8).describe('distance that counts as too close, metres'),
  }),
  examples: [{ warn: 0.5 }],
  create: async ({ warn }) =>
    map((frame): DataFrame => {
      const metres = zones.map((_, zone) => nearest(frame as DepthFrame, zone));
      const tooClose = zones.filter((_, zone) => (metres[zone] ?? Number.POSITIVE_INFINITY) < warn);
      const value = { ...Object.fromEntries(zones.map((name, i) => [name, metres[i]])), tooClose };
      return { ...derive(frame), kind: 'data', value };
    }),
});

const endpoint = process.argv[2] ?? 'tcp://127.0.0.1:5557';

const pipeline = definePipeline({
  name: 'nearest-obstacle',
  source: testPattern({ width: 224, height: 224, fps: 30, frames: 90, realtime: true }),
  operators: [estimateDepth({ model: 'fastdepth' }), smooth({ method: 'motion' })],
  sinks: [
    {
      name: 'obstacles',
      operators: [nearestObstacle({ warn: 0.5 })],
      sink: zeromq({ bind: endpoint, topic: 'obstacles' }),
      queue: { limit: 1, whenFull: 'drop-oldest' },
    },
    discard(),
  ],
});

if (process.argv[1]?.includes('nearest-obstacle')) {
  const summary = await runPipeline(pipeline);
  console.log(JSON.stringify({ captured: summary.captured, fps: Math.round(summary.fps) }));
}
