import type { SpatialOptions } from '../depth/spatial-filter.ts';

/** To the worker: depth in memory that both threads see, which the result replaces. */
export interface Request {
  /** float32 metres. */
  readonly depth: SharedArrayBuffer;
  readonly width: number;
  readonly height: number;
  readonly options: SpatialOptions;
}

export interface Response {
  /** Time it took, milliseconds. */
  readonly ms: number;
}
