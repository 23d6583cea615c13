import type { StereoGeometry } from '../../depth/disparity.ts';
import type { SessionSettings } from '../session-settings.ts';
import type { StereoManifest } from './stereo-manifest.ts';

export const disparityChecks = ['hidden', 'left-right', 'none'] as const;
/** Which disparities become invalid: those of points that are hidden from the right eye, or none. */
export type DisparityCheck = (typeof disparityChecks)[number];

/** The data a worker starts with. */
export interface StereoWorkerSetup {
  /** The .onnx file. */
  readonly path: string;
  readonly manifest: StereoManifest;
  readonly threads: number;
  readonly providers: readonly string[];
  readonly session: SessionSettings;
  readonly check: DisparityCheck;
  /** Valid depth, metres. */
  readonly range: readonly [number, number];
  /** See native-guard.ts. */
  readonly native: SharedArrayBuffer;
  /** uint8, room for two RGB pictures of the model's size, the left one first. */
  readonly pixels: SharedArrayBuffer;
}

/** To the worker: the pair in shared memory, or the end. */
export type StereoRequest =
  | {
      readonly type: 'infer';
      /** In pixels of the model's input; absent: the result is disparity in pixels of the output. */
      readonly geometry: StereoGeometry | undefined;
    }
  | { readonly type: 'close' };

/** From the worker. */
export type StereoResponse =
  | {
      readonly type: 'ready';
      /** What the user should know: a provider that cannot be used. */
      readonly notes: readonly string[];
      /** float32, `height × width`: the result of each pair. */
      readonly depth: SharedArrayBuffer;
      readonly width: number;
      readonly height: number;
    }
  | { readonly type: 'unfit'; readonly problem: string; readonly description: string }
  | { readonly type: 'done'; readonly ms: number }
  | { readonly type: 'failed'; readonly message: string };
