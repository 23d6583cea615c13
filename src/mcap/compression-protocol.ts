import type { Compression } from './compression.ts';

/** To the worker: the data of a chunk in memory that both threads see. */
export interface Request {
  readonly compression: Exclude<Compression, 'none'>;
  readonly memory: SharedArrayBuffer;
  readonly bytes: number;
}

export interface Response {
  /** The compressed data. */
  readonly records: Uint8Array;
  /** CRC-32 of the data before compression. */
  readonly crc: number;
}
