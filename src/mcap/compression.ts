import type { McapTypes } from '@mcap/core';

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
    lz4: (data, size) => decompressFrameSync(asBuffer(requireSize(data, size))),
    zstd: (data, size) => zstd.decompress(requireSize(data, size), Number(size)),
  };
}

function requireSize(data: Uint8Array, size: bigint): Uint8Array {
  if (size > largestChunk) throw new Error(`a chunk of ${size} bytes, more than ${largestChunk}`);
  return data;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
