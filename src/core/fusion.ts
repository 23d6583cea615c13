import type { FlipAxis } from './frame.ts';
import { centreRectangle, type Size } from './size.ts';

/** The part of a picture that is kept, in pixels or as an aspect ratio around the centre. */
export type CropRegion =
  | { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
  | { readonly aspect: number };

/** Engines that can scale and convert a picture, best first on each kind of machine. */
export const engines = ['nvvidconv', 'cuda', 'va', 'gl', 'cpu'] as const;
export type Engine = (typeof engines)[number];

/** What GStreamer does in place of an operator directly behind its source. */
export type Fusion =
  | {
      readonly do: 'resize';
      readonly width: number;
      readonly height: number;
      /** `crop` cuts to the target's aspect first, `letterbox` pads, `stretch` distorts. */
      readonly fit: 'crop' | 'letterbox' | 'stretch';
      /** Aspect of the part that is kept before scaling (4/3 for FastDepth), whatever `fit` says. */
      readonly view?: number;
      readonly on: 'auto' | Engine;
    }
  | { readonly do: 'crop'; readonly region: CropRegion }
  | { readonly do: 'flip'; readonly axis: FlipAxis };

/** Size of a picture after a fusion; undefined where it depends on a size that is not known. */
export function sizeAfter(size: Size | undefined, fusion: Fusion): Size | undefined {
  if (fusion.do === 'flip') return size;
  if (fusion.do === 'resize') return { width: fusion.width, height: fusion.height };
  const { region } = fusion;
  if ('aspect' in region) return size && centreRectangle(size, region.aspect);
  return { width: region.width, height: region.height };
}

/** True if the fused operators change the size of the picture. */
export function changesSize(fusions: readonly Fusion[]): boolean {
  return fusions.some((fusion) => fusion.do !== 'flip');
}
