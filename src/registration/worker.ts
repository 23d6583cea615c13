import { parentPort } from 'node:worker_threads';
import type { Request, Response } from './protocol.ts';
import { Upsampler } from './upsample.ts';

// Tens of milliseconds for a picture of 1280×720: not on the thread that moves the frames.

const port = parentPort as NonNullable<typeof parentPort>;
const upsampler = new Upsampler();

port.on('message', ({ depth, placed, target, pixels, format, method, out }: Request) => {
  const start = performance.now();
  const count = placed.size.width * placed.size.height;
  const data = new Float32Array(depth, 0, count);
  const picture = pixels && { ...target.size, format, data: new Uint8Array(pixels) };
  const job = { depth: { ...placed, ...placed.size, data }, target, picture, method };
  upsampler.run(job, new Float32Array(out, 0, target.size.width * target.size.height));
  const response: Response = { ms: performance.now() - start };
  port.postMessage(response);
});
