import { parentPort, workerData } from 'node:worker_threads';
import { Film, type FilmSettings } from './film.ts';
import type { Request, Response } from './protocol.ts';

// Rendering takes milliseconds, a new room a second: not on the thread that moves the frames.

const port = parentPort as NonNullable<typeof parentPort>;
const film = new Film(workerData as FilmSettings);

port.on('message', ({ index }: Request) => {
  const start = performance.now();
  const shot = film.shoot(index);
  const response: Response = { index, ms: performance.now() - start, ...shot };
  const right = shot.right ? [shot.right.rgb.buffer] : [];
  port.postMessage(response, [shot.rgb.buffer, shot.depth.buffer, ...right]);
});
