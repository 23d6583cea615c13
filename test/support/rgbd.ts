import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeDepthPng, encodePng } from '../../src/imaging/encode.ts';
import { depthFrame, imageFrame } from './frames.ts';

/**
 * Writes a pair of an RGB-D folder, 8 × 6. The fixture model `metres` makes 0.01 m of each step of
 * red.
 *
 * @param truth metres of a pixel
 */
export async function writePair(
  folder: string,
  name: string,
  red: number,
  truth: (x: number, y: number) => number,
): Promise<void> {
  for (const part of ['rgb', 'depth']) mkdirSync(join(folder, part), { recursive: true });
  const picture = await encodePng(imageFrame(8, 6, 0, () => [red, 0, 0]));
  writeFileSync(join(folder, 'rgb', `${name}.png`), picture);
  writeFileSync(
    join(folder, 'depth', `${name}.png`),
    await encodeDepthPng(depthFrame(8, 6, 0, truth)),
  );
}

/** An 8-bit depth picture in its place, as NYU's are stored in some copies. */
export async function writeByteDepth(folder: string, name: string, step: number): Promise<void> {
  const raw = { width: 8, height: 6, channels: 1 } as const;
  const png = sharp(Buffer.alloc(48, step), { raw }).toColourspace('b-w').png();
  await png.toFile(join(folder, 'depth', `${name}.png`));
}
