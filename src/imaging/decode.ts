import sharp from 'sharp';
import { reason } from '../core/errors.ts';
import type { DepthMap } from '../core/frame.ts';
import { requireRegularFile } from '../core/regular-file.ts';
import type { Size } from '../core/size.ts';
import { fromMillimetres } from '../depth/millimetres.ts';
import { unsupportedFormat } from './picture-formats.ts';

/** A decoded picture file: interleaved uint8 RGB, rows without padding. */
export interface DecodedPicture extends Size {
  readonly data: Uint8Array;
  /** Pictures in the file, of which this is the first: more than 1 in an animation. */
  readonly pages: number;
}

/**
 * A picture as interleaved uint8 RGB, turned as its EXIF orientation says.
 *
 * @throws Error with the reason if the file is damaged or of a format that cannot be read
 */
export async function decodeRgb(path: string): Promise<DecodedPicture> {
  await requireRegularFile(path);
  try {
    const { pages = 1 } = await sharp(path).metadata();
    return { ...(await firstPage(path)), pages };
  } catch (error) {
    throw new Error(unsupportedFormat(path) ?? reason(error).trim().replaceAll('\n', '; '), {
      cause: error,
    });
  }
}

async function firstPage(path: string): Promise<Omit<DecodedPicture, 'pages'>> {
  const { data, info } = await sharp(path)
    .rotate()
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (info.channels === 3) return { width: info.width, height: info.height, data: bytes };
  // Grey pictures keep one channel.
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let i = 0; i < bytes.length; i++) rgb.fill(bytes[i] as number, i * 3, i * 3 + 3);
  return { width: info.width, height: info.height, data: rgb };
}

/** Number of channels and type of the values of a picture file: `uchar`, `ushort` and so on. */
export async function pixelFormat(path: string): Promise<{ channels: number; depth: string }> {
  await requireRegularFile(path);
  const { channels, depth } = await sharp(path).metadata();
  return { channels, depth };
}

/** An 8-bit grey picture, one byte per pixel. */
export async function decodeGrey(
  path: string,
): Promise<{ width: number; height: number; data: Uint8Array }> {
  await requireRegularFile(path);
  const { data, info } = await sharp(path)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** A 16-bit grey PNG in units of `metresPerUnit` (0.001: millimetres); 0 is invalid. */
export async function decodeDepthPng(path: string, metresPerUnit = 0.001): Promise<DepthMap> {
  await requireRegularFile(path);
  const { data, info } = await sharp(path)
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(new Uint8Array(data).buffer);
  const depth =
    metresPerUnit === 0.001
      ? fromMillimetres(values)
      : Float32Array.from(values, (value) => value * metresPerUnit);
  return { width: info.width, height: info.height, data: depth };
}
