import type { DepthMap } from '../core/frame.ts';
import { decodeDepthPng, pixelFormat } from './decode.ts';

/**
 * Reads a 16-bit grey PNG of millimetres (0: invalid), bit for bit.
 *
 * @throws Error if it is any other kind of picture: its values would not be millimetres
 */
export async function readDepthFile(path: string): Promise<DepthMap> {
  const { depth, channels } = await pixelFormat(path);
  if (depth !== 'ushort' || channels !== 1) {
    throw new Error(
      `it has ${channels} channel(s) of ${depth}, where depth is a 16-bit grey PNG of millimetres`,
    );
  }
  return decodeDepthPng(path);
}
