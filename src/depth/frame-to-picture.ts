import type { Frame, Picture } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { type ColorRangeOptions, ColorRangeTracker } from './color-range.ts';
import { type ColormapName, colorizeDepth } from './colormap.ts';

/** Frames as pictures that can be shown: an image frame as it is, depth in colours. */
export class FrameToPicture {
  readonly #colormap: ColormapName;
  readonly #range: ColorRangeTracker;

  constructor(options: ColorRangeOptions & { readonly colormap: ColormapName }) {
    this.#colormap = options.colormap;
    this.#range = new ColorRangeTracker(options);
  }

  /** @throws FrameRefused for points and data, which the check of frame kinds keeps away */
  convert(frame: Frame): Picture {
    if (frame.kind === 'image') return frame;
    if (frame.kind !== 'depth')
      throw new FrameRefused(`${frame.kind} frames cannot be shown as a picture`);
    const { width, height } = frame;
    const data = colorizeDepth(frame, { colormap: this.#colormap, ...this.#range.next(frame) });
    return { format: 'rgb', width, height, data };
  }
}
