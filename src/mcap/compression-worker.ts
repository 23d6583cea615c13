import { parentPort } from 'node:worker_threads';
import { crc32 } from '@foxglove/crc';
import type { Request, Response } from './compression-protocol.ts';

// Milliseconds for a chunk: not on the thread that moves the frames.

const port = parentPort as NonNullable<typeof parentPort>;

type Compress = (data: Uint8Array) => Uint8Array;

/**
 * zstd of level 1: pictures become little smaller at higher levels, which cost several times as much.
 * Both libraries bring their own code: not every Node.js has zstd, none has lz4.
 */
const loaders: Readonly<Record<Request['compression'], () => Promise<Compress>>> = {
  async lz4() {
    const { compressFrameSync } = await import('lz4-napi');
    // Native code does not take shared memory.
    return (data) => compressFrameSync(Buffer.from(data));
  },
  async zstd() {
    const { compress, isLoaded } = await import('@foxglove/wasm-zstd');
    await isLoaded;
    return (data) => compress(data, 1);
  },
};

const loaded = new Map<Request['compression'], Promise<Compress>>();

async function answer({ compression, memory, bytes }: Request): Promise<void> {
  const known = loaded.get(compression) ?? loaders[compression]();
  loaded.set(compression, known);
  const compress = await known;
  const data = new Uint8Array(memory, 0, bytes);
  // A copy of its own: what the library gives may be part of a pool.
  const records = Uint8Array.from(compress(data));
  const response: Response = { records, crc: crc32(data) };
  port.postMessage(response, [records.buffer]);
}

// A rejection ends the thread, which tells the other side.
port.on('message', (request: Request) => void answer(request));
