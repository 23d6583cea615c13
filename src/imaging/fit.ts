import sharp from 'sharp';
import type { ImageFrame } from '../core/frame.ts';
import { centreRectangle, deriveView, type Size } from '../core/geometry.ts';

sharp.cache(false);

export type Fit = 'crop' | 'letterbox' | 'stretch';

/**
 * Scales a picture, off the event loop. `view` is the aspect of the part that is kept before
 * scaling; without it `crop` keeps the target's aspect and the others keep everything.
 */
export async function fitImage(
  frame: ImageFrame,
  { width, height }: Size,
  fit: Fit,
  view?: number,
): Promise<ImageFrame> {
  const aspect = view ?? (fit === 'crop' ? width / height : frame.width / frame.height);
  const part = centreRectangle(frame, aspect);
  const whole = part.width === frame.width && part.height === frame.height;
  if (whole && frame.width === width && frame.height === height) return frame;
  const channels = frame.format === 'rgba' ? 4 : 3;
  const raw = { width: frame.width, height: frame.height, channels } as const;
  let image = sharp(frame.data, { raw });
  if (!whole) image = image.extract(part);
  const data = await image
    .resize(width, height, {
      fit: fit === 'letterbox' ? 'contain' : 'fill',
      kernel: 'linear',
      background: { r: 0, g: 0, b: 0, alpha: 1 },
    })
    .raw()
    .toBuffer();
  const inside = fit === 'letterbox' ? undefined : deriveView(frame, part, { width, height });
  // The bars of a letterbox have no ground truth, and its scale is one for both axes.
  const { intrinsics: _, truth: __, ...plain } = frame;
  return {
    ...(inside ? { ...frame, ...inside } : plain),
    width,
    height,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
