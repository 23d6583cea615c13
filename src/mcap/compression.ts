import type { McapTypes } from '@mcap/core';

export const compressions = ['zstd', 'lz4', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** Compresses the data of a chunk. */
export interface Compressor {
  /** As MCAP names it. */
  readonly name: 'zstd' | 'lz4' | '';
  compress(data: Uint8Array): Uint8Array;
}

/** Chunks that say that they are larger are not unpacked; bytes. Others write a few megabytes. */
const largestChunk = 2n ** 30n;

/**
 * zstd of level 1: pictures become little smaller at higher levels, which cost several times as much.
 * Both libraries bring their own code: not every Node.js has zstd, none has lz4.
 */
export async function loadCompressor(compression: Compression): Promise<Compressor> {
  if (compression === 'none') return { name: '', compress: (data) => data };
  if (compression === 'lz4') {
    const { compressFrameSync } = await import('lz4-napi');
    return { name: 'lz4', compress: (data) => compressFrameSync(asBuffer(data)) };
  }
  const { compress, isLoaded } = await import('@foxglove/wasm-zstd');
  await isLoaded;
  return { name: 'zstd', compress: (data) => compress(data, 1) };
}

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
