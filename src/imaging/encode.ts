import sharp from 'sharp';
import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { toMillimetres } from '../depth/millimetres.ts';

/** 16-bit grey PNG, millimetres; 0 is invalid. */
export function encodeDepthPng({ width, height, data }: DepthMap): Promise<Uint8Array> {
  const millimetres = toMillimetres(data);
  return sharp(millimetres, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png({ compressionLevel: 3, adaptiveFiltering: true })
    .toBuffer();
}

/** 8-bit RGB PNG. */
export function encodePng(image: ImageFrame): Promise<Uint8Array> {
  return picture(image).png({ compressionLevel: 3 }).toBuffer();
}

/** @param quality 1…100 */
export function encodeJpeg(image: ImageFrame, quality: number): Promise<Uint8Array> {
  return picture(image).jpeg({ quality }).toBuffer();
}

function picture({ width, height, format, data }: ImageFrame) {
  return sharp(data, { raw: { width, height, channels: format === 'rgba' ? 4 : 3 } });
}
