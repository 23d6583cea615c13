import { parentPort } from 'node:worker_threads';
import { filterSpatially } from '../depth/spatial-filter.ts';
import type { Request, Response } from './protocol.ts';

// Tens of milliseconds for 1280×720: not on the thread that moves the frames.

const port = parentPort as NonNullable<typeof parentPort>;

port.on('message', ({ depth, width, height, options }: Request) => {
  const start = performance.now();
  const data = new Float32Array(depth, 0, width * height);
  data.set(filterSpatially({ width, height, data }, options));
  const response: Response = { ms: performance.now() - start };
  port.postMessage(response);
});
