import type { ErrorCode } from '../core/errors.ts';
import type { StreamOver } from '../stream/shared-stream.ts';
import type { EngineSetup } from './engines/engine.ts';
import type { PlacedPicture } from './picture-calls.ts';
import type { SlotMemory } from './slot.ts';

/** The data an inference worker starts with. */
export interface WorkerSetup extends EngineSetup {
  /** Give the model's output as it is, not as depth. */
  readonly raw: boolean;
}

/** Why there is no depth of a picture. */
export interface PictureFailure {
  readonly message: string;
  /** The engine was not there for it: the picture is not to blame (see `FrameLost`). */
  readonly lost: boolean;
}

/** A stream whose frames a worker reads itself, in turn with others. */
export interface StreamSetup {
  /** Tells this stream from others that the worker has read. */
  readonly stream: number;
  /** The worker's number among those that read it, from 1. */
  readonly thread: number;
  /** See shared-stream.ts. */
  readonly memory: SharedArrayBuffer;
  readonly descriptor: number;
  /** Give each picture beside its depth. */
  readonly pictureUsed: boolean;
}

export type Request =
  | ({ readonly type: 'follow' } & StreamSetup)
  | {
      readonly type: 'infer';
      /** Taken in one call of the model. */
      readonly pictures: readonly PlacedPicture[];
    }
  /** Finish the inference in progress, release the model and end. */
  | { readonly type: 'close' };

export type Response =
  | {
      readonly type: 'ready';
      /** What runs the model, and what the user should know of it (see `DepthEngine`). */
      readonly description: string;
      readonly notes: readonly string[];
      readonly slots: readonly SlotMemory[];
      /** Size of the depth. */
      readonly width: number;
      readonly height: number;
    }
  /** The model cannot be used until the user changes something. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly type: 'depth';
      readonly slots: readonly number[];
      /** Time of the call in the worker, milliseconds. */
      readonly ms: number;
    }
  | {
      readonly type: 'failed';
      readonly slot: number;
      readonly failure: PictureFailure;
    }
  /** The slot holds a frame of the stream with its depth, or what failed on it. */
  | {
      readonly type: 'frame';
      readonly stream: number;
      readonly slot: number;
      readonly failure?: PictureFailure;
    }
  /** The worker reads this stream no further. */
  | ({ readonly type: 'left'; readonly stream: number } & StreamOver);
