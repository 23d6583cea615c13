import type { Shot } from './film.ts';

/** To the render worker: the number of the frame wanted. */
export interface Request {
  readonly index: number;
}

/** From the render worker, in the order asked. */
export interface Response extends Shot {
  readonly index: number;
  /** Time it took, milliseconds. */
  readonly ms: number;
}
