import type { Manifest } from './manifest.ts';

/** What an inference worker is started with. */
export interface WorkerSetup {
  readonly path: string;
  readonly manifest: Manifest;
  readonly threads: number;
  readonly providers: readonly string[];
}

/** One picture for the model; the buffer is transferred, and comes back with the answer. */
export interface Request {
  readonly id: number;
  readonly rgb: ArrayBuffer;
  /** Four bytes per pixel instead of three. */
  readonly alpha: boolean;
}

export type Response =
  | {
      readonly type: 'ready';
      /** The model's real inputs and outputs, in words. */
      readonly description: string;
      /** How the manifest differs from it. */
      readonly problem: string | undefined;
    }
  | {
      readonly type: 'depth';
      readonly id: number;
      /** float32 metres. */
      readonly depth: ArrayBuffer;
      readonly width: number;
      readonly height: number;
      /** Time in the worker, milliseconds. */
      readonly ms: number;
      /** The request's buffer, to be used again. */
      readonly rgb: ArrayBuffer;
    }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
