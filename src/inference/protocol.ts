import type { StreamOver } from '../stream/shared-stream.ts';
import type { Manifest } from './manifest.ts';
import type { SessionSettings } from './session-settings.ts';
import type { SlotMemory } from './slot.ts';

/** The data an inference worker starts with. */
export interface WorkerSetup {
  /** The .onnx file. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Give the model's output as it is, not as depth. */
  readonly raw: boolean;
  readonly threads: number;
  readonly providers: readonly string[];
  readonly session: SessionSettings;
  /** See native-guard.ts. */
  readonly native: SharedArrayBuffer;
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
      readonly slot: number;
      /** Four bytes per pixel instead of three. */
      readonly alpha: boolean;
    }
  /** Finish the inference in progress, release the model and end. */
  | { readonly type: 'close' };

export type Response =
  | {
      readonly type: 'ready';
      /** The model's real inputs and outputs, in words. */
      readonly description: string;
      /** Why no manifest can make the model usable. */
      readonly unsupported: string | undefined;
      /** How the manifest differs from the model. */
      readonly problem: string | undefined;
      readonly slots: readonly SlotMemory[];
      /** Size of the depth. */
      readonly width: number;
      readonly height: number;
    }
  | {
      readonly type: 'depth';
      readonly slot: number;
      /** Time in the worker, milliseconds. */
      readonly ms: number;
    }
  | {
      readonly type: 'failed';
      readonly slot: number;
      readonly message: string;
    }
  /** The slot holds a frame of the stream with its depth, or what failed on it. */
  | {
      readonly type: 'frame';
      readonly stream: number;
      readonly slot: number;
      readonly failure?: string;
    }
  /** The worker reads this stream no further. */
  | ({ readonly type: 'left'; readonly stream: number } & StreamOver);
