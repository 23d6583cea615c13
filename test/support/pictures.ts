import sharp from 'sharp';
import { imageFrame } from './frames.ts';

/** Writes a gradient in which each picture's number shows. */
export async function writePicture(
  path: string,
  width: number,
  height: number,
  number = 0,
): Promise<void> {
  const { data } = imageFrame(width, height, number);
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
}
