// A pipeline composed in code: depth with a custom operator in its own branch, published on the
// topic "obstacles".
//
//   node examples/nearest-obstacle-in-code.js tcp://127.0.0.1:5557
//   depthline subscribe tcp://127.0.0.1:5557 --topic obstacles

import {
  definePipeline,
  discard,
  estimateDepth,
  runPipeline,
  smooth,
  syntheticRoom,
  zeromq,
} from 'depthline';
import { nearestObstacle } from './nearest-obstacle.js';

const endpoint = process.argv[2] ?? 'tcp://127.0.0.1:5557';
const frames = Number(process.argv[3] ?? 150);

const pipeline = definePipeline({
  name: 'nearest-obstacle',
  source: syntheticRoom({ width: 224, height: 224, aspect: '4:3', fps: 30, frames }),
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

const summary = await runPipeline(pipeline);
console.log(`${summary.captured} frames, ${summary.fps.toFixed(1)} fps`);
