// A pipeline composed in code: every second frame of a video, its depth on ZeroMQ.
//
//   node examples/compose.js walk.mp4

import { definePipeline, estimateDepth, runPipeline, smooth, videoFile, zeromq } from 'depthline';
import { filter } from 'rxjs';

const [path = 'walk.mp4', endpoint = 'tcp://127.0.0.1:5556'] = process.argv.slice(2);

const summary = await runPipeline(
  definePipeline({
    source: videoFile({ path }),
    operators: [estimateDepth(), filter((frame) => frame.seq % 2 === 0), smooth({ method: 'ema' })],
    sinks: [{ sink: zeromq({ bind: endpoint }), queue: { whenFull: 'drop-oldest' } }],
  }),
);
console.log(`${summary.captured} frames, ${summary.fps.toFixed(1)} fps`);
