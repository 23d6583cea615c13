import type { ImageFrame } from '../core/frame.ts';
import { centreRectangle, type Size } from '../core/size.ts';
import { cropFrame } from '../depth/frame-geometry.ts';
import { scaleNearest, scalePixelsNearest } from '../depth/geometry.ts';

/** A 4:3 picture at 250 rows. The width is cut to whole pixels, not rounded. */
const small: Size = { width: Math.trunc((250 * 4) / 3), height: 250 };
/** The centre of that, with (333 − 304) / 2 rounded half to even, as Python does it. */
const centre = { left: 14, top: 11, width: 304, height: 228 };

/**
 * What FastDepth's own code evaluates on (Wofk et al. 2019, `dataloaders/nyu.py`): the picture at
 * 250 rows, of that the 304 × 228 in the centre. It takes the nearest pixel, of colours too. The
 * truth goes the same way. `squeezeNearest` is its last step, to the size of the network.
 */
export function paperView(frame: ImageFrame): ImageFrame {
  return cropFrame(squeezeNearest(cropFrame(frame, centreRectangle(frame, 4 / 3)), small), centre);
}

/** The whole frame and its truth in another size, by the nearest pixel. Its aspect may change. */
export function squeezeNearest(frame: ImageFrame, { width, height }: Size): ImageFrame {
  // View and intrinsics are not needed for a comparison.
  const { intrinsics: _, view: __, truth, ...rest } = frame;
  const channels = frame.format === 'rgba' ? 4 : 3;
  return {
    ...rest,
    width,
    height,
    data: scalePixelsNearest(frame.data, frame, channels, { width, height }),
    ...(truth && { truth: scaleNearest(truth, { width, height }) }),
  };
}
