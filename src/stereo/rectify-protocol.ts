import type { Size } from '../core/size.ts';
import type { RigCamera } from './camera-model.ts';

/** To the worker: the cameras, for the maps; or a pair, in memory that both threads see. */
export type Request =
  | {
      readonly type: 'prepare';
      readonly left: RigCamera;
      readonly right: RigCamera;
      readonly size: Size;
    }
  | {
      readonly type: 'rectify';
      /** uint8 RGB, the left picture, then the right one. */
      readonly pixels: SharedArrayBuffer;
      /** The same, rectified. */
      readonly out: SharedArrayBuffer;
    };

export interface Response {
  /** Time it took, milliseconds. */
  readonly ms: number;
}
