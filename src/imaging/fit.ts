import sharp from 'sharp';
import type { ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { type Fit, type FitPlan, planFit } from '../depth/fit-plan.ts';
import { fittedBase } from '../depth/frame-geometry.ts';

sharp.cache(false);

/**
 * Resizes a picture, off the event loop, with a triangle filter that widens with the scale, as
 * videoscale's `bilinear2` does in a launch line. `view` is the aspect of the part that is kept
 * before scaling; without it `crop` keeps the target's aspect and the others keep everything.
 * Intrinsics and ground truth follow. A picture that fits already is returned unchanged.
 */
export async function fitImage(
  frame: ImageFrame,
  size: Size,
  fit: Fit,
  view?: number,
): Promise<ImageFrame> {
  const plan = planFit(frame, size, fit, view);
  return plan.untouched ? frame : fitPart(frame, plan);
}

/** The same by a plan: any part of the picture, at any place of the result. */
export async function fitPart(frame: ImageFrame, plan: FitPlan): Promise<ImageFrame> {
  const { part, inner, size } = plan;
  const channels = frame.format === 'rgba' ? 4 : 3;
  const raw = { width: frame.width, height: frame.height, channels } as const;
  const data = await sharp(frame.data, { raw })
    .extract({ left: part.left, top: part.top, width: part.width, height: part.height })
    .resize(inner.width, inner.height, { fit: 'fill', kernel: 'linear' })
    .extend({
      left: inner.left,
      top: inner.top,
      right: size.width - inner.left - inner.width,
      bottom: size.height - inner.top - inner.height,
      background: { r: 0, g: 0, b: 0, alpha: 1 },
    })
    .raw()
    .toBuffer();
  return {
    ...frame,
    ...fittedBase(frame, plan),
    width: size.width,
    height: size.height,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
