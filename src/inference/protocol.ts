import type { Manifest } from './manifest.ts';

/** What an inference worker is started with. */
export interface WorkerSetup {
  /** The .onnx file. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly threads: number;
  readonly providers: readonly string[];
}

export type Request =
  | {
      readonly type: 'infer';
      readonly id: number;
      /** uint8 RGB or RGBA; transferred, and comes back with the answer. */
      readonly pixels: ArrayBuffer;
      /** Four bytes per pixel instead of three. */
      readonly alpha: boolean;
    }
  /** Release the model and end; what was asked for before is answered first. */
  | { readonly type: 'close' };

export type Response =
  | {
      readonly type: 'ready';
      /** The model's real inputs and outputs, in words. */
      readonly description: string;
      /** How the manifest differs from them. */
      readonly problem: string | undefined;
    }
  | {
      readonly type: 'depth';
      readonly id: number;
      /** float32 metres; transferred. */
      readonly depth: ArrayBuffer;
      readonly width: number;
      readonly height: number;
      /** Time in the worker, milliseconds. */
      readonly ms: number;
      /** The request's buffer, to be used again. */
      readonly pixels: ArrayBuffer;
    }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly message: string;
      readonly pixels: ArrayBuffer;
    };
