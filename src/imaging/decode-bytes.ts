import sharp from 'sharp';
import { reason } from '../core/errors.ts';
import type { DepthMap } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { fromMillimetres } from '../depth/millimetres.ts';

/** The most pixels of a picture that is decoded from memory: what it says of itself is not believed. */
const limitInputPixels = 2 ** 27;

/**
 * A picture file in memory as interleaved uint8 RGB.
 *
 * @throws Error with the reason if the data is damaged or of a format that cannot be read
 */
export async function decodeRgbBytes(bytes: Uint8Array): Promise<Size & { data: Uint8Array }> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (channels === 3) return { width, height, data: pixels };
    // Grey pictures keep one channel.
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < pixels.length; i++) rgb.fill(pixels[i] as number, i * 3, i * 3 + 3);
    return { width, height, data: rgb };
  } catch (error) {
    throw new Error(`a picture that cannot be decoded: ${firstLine(error)}`, { cause: error });
  }
}

/**
 * A 16-bit grey PNG in memory, millimetres; 0 is invalid.
 *
 * @throws Error with the reason
 */
export async function decodeDepthBytes(bytes: Uint8Array): Promise<DepthMap> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels })
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const values = new Uint16Array(new Uint8Array(data).buffer);
    return { width: info.width, height: info.height, data: fromMillimetres(values) };
  } catch (error) {
    throw new Error(`depth that cannot be decoded: ${firstLine(error)}`, { cause: error });
  }
}

function firstLine(error: unknown): string {
  return reason(error).trim().replaceAll('\n', '; ');
}
