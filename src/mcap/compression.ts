import type { McapTypes } from '@mcap/core';
import { lz4Bound } from './lz4-bound.ts';

export const compressions = ['zstd', 'lz4', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** Chunks that say that they are larger are not unpacked; bytes. Others write a few megabytes. */
const largestChunk = 2n ** 30n;

/** Unpacks the chunks of any file. */
export async function loadDecompressors(): Promise<McapTypes.DecompressHandlers> {
  const [{ decompressFrameSync }, zstd] = await Promise.all([
    import('lz4-napi'),
    import('@foxglove/wasm-zstd'),
  ]);
  await zstd.isLoaded;
  return {
    lz4(data, size) {
      requireSize(size);
      requireSize(lz4Bound(data));
      return decompressFrameSync(asBuffer(data));
    },
    zstd(data, size) {
      requireSize(size);
      return zstd.decompress(data, Number(size));
    },
  };
}

/** @throws Error if a chunk unpacks to more than is taken for one */
export function requireSize(bytes: bigint | number): void {
  if (bytes > largestChunk) throw new Error(`a chunk of ${bytes} bytes, more than ${largestChunk}`);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
