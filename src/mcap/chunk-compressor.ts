import { crc32 } from '@foxglove/crc';
import { entryPoint } from '../core/entry-point.ts';
import { reason } from '../core/errors.ts';
import { JobThread, room } from '../core/job-thread.ts';
import type { Compression } from './compression.ts';
import type { Request, Response } from './compression-protocol.ts';

/** What is written of a chunk. */
export interface PackedChunk {
  /** As MCAP names it. */
  readonly compression: 'zstd' | 'lz4' | '';
  readonly records: Uint8Array;
  /** CRC-32 of the data before compression. */
  readonly crc: number;
}

/** Compresses chunks in a thread of its own, one after the other. */
export class ChunkCompressor {
  readonly #compression: Compression;
  readonly #warn: (message: string) => void;
  #thread: JobThread<Request, Response> | undefined;
  #memory = new SharedArrayBuffer(0);

  /** @param warn told once if the thread fails; chunks are written without compression from then on */
  constructor(compression: Compression, warn: (message: string) => void) {
    this.#compression = compression;
    this.#warn = warn;
    if (compression !== 'none')
      this.#thread = new JobThread(entryPoint('mcap/compression-worker'), 'compression');
  }

  /** Never rejects. */
  async pack(data: Uint8Array): Promise<PackedChunk> {
    const thread = this.#thread;
    const compression = this.#compression;
    if (!thread || compression === 'none') return unpacked(data);
    try {
      const packed = await thread.run(async (send) => {
        this.#memory = room(this.#memory, data.byteLength);
        new Uint8Array(this.#memory).set(data);
        return send({ compression, memory: this.#memory, bytes: data.byteLength });
      });
      return { compression, ...packed };
    } catch (error) {
      if (this.#thread) this.#warn(`${reason(error)}; what follows is recorded uncompressed`);
      this.#thread = undefined;
      return unpacked(data);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }
}

function unpacked(data: Uint8Array): PackedChunk {
  return { compression: '', records: data, crc: crc32(data) };
}
