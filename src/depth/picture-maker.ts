import type { Frame, ImageFrame } from '../core/frame.ts';
import { type DepthRangeOptions, DepthRangeTracker } from './color-range.ts';
import { type ColormapName, colorizeDepth } from './colormap.ts';

export type Picture = Pick<ImageFrame, 'format' | 'width' | 'height' | 'data'>;

/** Frames as pictures: an image frame as it is, depth in colours. */
export class PictureMaker {
  readonly #colormap: ColormapName;
  readonly #range: DepthRangeTracker;

  constructor(options: DepthRangeOptions & { readonly colormap: ColormapName }) {
    this.#colormap = options.colormap;
    this.#range = new DepthRangeTracker(options);
  }

  /** @throws Error for points and data, which the check of frame kinds keeps away */
  of(frame: Frame): Picture {
    if (frame.kind === 'image') return frame;
    if (frame.kind !== 'depth') throw new Error(`${frame.kind} frames cannot be shown`);
    const { width, height } = frame;
    const data = colorizeDepth(frame, { colormap: this.#colormap, ...this.#range.next(frame) });
    return { format: 'rgb', width, height, data };
  }
}
