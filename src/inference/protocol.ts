import type { Manifest } from './manifest.ts';
import type { SessionSettings } from './session-settings.ts';

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

/**
 * Pictures and depth pass through shared memory, one slot each. Buffers that
 * are transferred instead count as old memory in the thread that gets them, and V8 then marks its
 * whole heap every few megabytes: ten milliseconds, several times per second.
 */
export interface Slot {
  /** uint8, room for RGBA. */
  readonly pixels: SharedArrayBuffer;
  /** float32 metres. */
  readonly depth: SharedArrayBuffer;
}

export type Request =
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
      readonly slots: readonly Slot[];
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
    };
