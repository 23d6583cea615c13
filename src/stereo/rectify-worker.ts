import { parentPort } from 'node:worker_threads';
import { type RectifyMap, rectify, rectifyMap } from './rectify-map.ts';
import type { Request, Response } from './rectify-protocol.ts';

// Milliseconds for a pair of 640×480: not on the thread that moves the frames.

const port = parentPort as NonNullable<typeof parentPort>;
let maps: readonly [RectifyMap, RectifyMap] | undefined;

port.on('message', (request: Request) => {
  const start = performance.now();
  if (request.type === 'prepare') {
    const { left, right, size } = request;
    maps = [rectifyMap(left, size), rectifyMap(right, size)];
  } else {
    const [left, right] = maps as readonly [RectifyMap, RectifyMap];
    const bytes = left.from.length * 3;
    for (const [i, map] of [left, right].entries()) {
      const picture = new Uint8Array(request.pixels, i * bytes, bytes);
      rectify(picture, new Uint8Array(request.out, i * bytes, bytes), map);
    }
  }
  const response: Response = { ms: performance.now() - start };
  port.postMessage(response);
});
