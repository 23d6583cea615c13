import { extname } from 'node:path';
import type { DepthMap } from '../core/frame.ts';
import { readRegularBytes } from '../core/regular-file.ts';
import { decodeNpyDepth } from '../depth/npy.ts';
import { decodeDepthPng, pixelFormat } from './decode.ts';

/** Endings of depth files. */
export const depthEndings: readonly string[] = ['png', 'npy'];

export function isDepthFile(path: string): boolean {
  return depthEndings.includes(extname(path).slice(1).toLowerCase());
}

/**
 * Reads depth, bit for bit: a 16-bit grey PNG of millimetres (0: invalid), or a NumPy file of float32
 * metres or uint16 millimetres.
 *
 * @throws Error if it holds anything else: its values would not be depth
 */
export async function readDepthFile(path: string): Promise<DepthMap> {
  if (extname(path).toLowerCase() === '.npy') return decodeNpyDepth(await readRegularBytes(path));
  const { depth, channels } = await pixelFormat(path);
  if (depth !== 'ushort' || channels !== 1) {
    throw new Error(
      `it has ${channels} channel(s) of ${depth}, where depth is a 16-bit grey PNG of millimetres`,
    );
  }
  return decodeDepthPng(path);
}
