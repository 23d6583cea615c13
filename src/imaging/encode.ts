import sharp from 'sharp';
import type { DepthMap, Picture } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { toSteps } from '../depth/disparity.ts';
import { toMillimetres } from '../depth/millimetres.ts';

/** 16-bit grey PNG, millimetres; 0 is invalid. */
export function encodeDepthPng(depth: DepthMap): Promise<Uint8Array> {
  return encodeGrey16(toMillimetres(depth.data), depth);
}

/** 16-bit grey PNG, 1/256 pixel; 0 is invalid. */
export function encodeDisparityPng(disparity: DepthMap): Promise<Uint8Array> {
  return encodeGrey16(toSteps(disparity), disparity);
}

function encodeGrey16(values: Uint16Array, { width, height }: Size): Promise<Uint8Array> {
  return sharp(values, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png({ compressionLevel: 3, adaptiveFiltering: true })
    .toBuffer();
}

/** 8-bit RGB PNG. */
export function encodePng(image: Picture): Promise<Uint8Array> {
  return picture(image).png({ compressionLevel: 3 }).toBuffer();
}

/** @param quality 1…100 */
export function encodeJpeg(image: Picture, quality: number): Promise<Uint8Array> {
  return picture(image).jpeg({ quality }).toBuffer();
}

function picture({ width, height, format, data }: Picture) {
  return sharp(data, { raw: { width, height, channels: format === 'rgba' ? 4 : 3 } });
}
