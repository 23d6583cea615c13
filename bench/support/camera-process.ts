import { fileURLToPath } from 'node:url';
import {
  definePipeline,
  discard,
  estimateDepth,
  startPipeline,
  testPattern,
} from '../../src/index.ts';

// One camera of the scaling benchmark in a process of its own.

const model = fileURLToPath(new URL('./weigh-channels.yaml', import.meta.url));
const run = await startPipeline(
  definePipeline({
    source: testPattern({ width: 224, height: 224, fps: 10, realtime: true }),
    operators: [estimateDepth({ model, tuned: 'off' })],
    sinks: [discard()],
  }),
);
const timer = setInterval(() => process.send?.(run.stats().processed), 100);
const stop = () => {
  clearInterval(timer);
  run.stop();
};
process.on('message', stop);
process.on('disconnect', stop);
await run.done;
process.exit();
