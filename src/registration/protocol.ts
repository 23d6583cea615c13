import type { ImageFrame } from '../core/frame.ts';
import type { Placed } from './grid.ts';
import type { Method } from './upsample.ts';

/** To the worker: one job, in memory that both threads see. */
export interface Request {
  /** float32 metres. */
  readonly depth: SharedArrayBuffer;
  readonly placed: Placed;
  readonly target: Placed;
  /** uint8; the target's size. */
  readonly pixels: SharedArrayBuffer | undefined;
  readonly format: ImageFrame['format'];
  readonly method: Method;
  /** float32 metres; room for the result. */
  readonly out: SharedArrayBuffer;
}

/** From the worker: the result is in `out`. */
export interface Response {
  /** Time it took, milliseconds. */
  readonly ms: number;
}
