import sharp from 'sharp';
import type { Picture } from '../core/frame.ts';
import type { Size } from '../core/size.ts';

/** The pixels of a picture at another size as RGB, `height × width × 3` bytes, off the event loop. */
export async function scaleRgb(picture: Picture, { width, height }: Size): Promise<Uint8Array> {
  const { format, data } = picture;
  const same = picture.width === width && picture.height === height;
  if (format === 'rgb' && same) return data;
  const raw = {
    width: picture.width,
    height: picture.height,
    channels: format === 'rgba' ? 4 : 3,
  } as const;
  return sharp(data, { raw })
    .removeAlpha()
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
}
