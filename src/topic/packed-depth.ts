import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { reason } from '../core/errors.ts';
import type { Size } from '../core/size.ts';
import { fromResiduals, toResiduals } from '../depth/residuals.ts';
import { CorruptMessage } from './header-check.ts';

/** How the residuals of packed depth are compressed. */
export type Compression = 'deflate' | 'zstd';

type Compress = (data: Uint8Array) => Promise<Uint8Array>;
type Decompress = (data: Uint8Array, size: number) => Promise<Uint8Array>;

interface Codec {
  readonly compress: Compress;
  /** At most `size` bytes. */
  readonly decompress: Decompress;
}

/** Higher levels save a few percent and cost several times as much. */
const level = 1;

const deflateRaw = promisify(zlib.deflateRaw);
const inflateRaw = promisify(zlib.inflateRaw);

/** In threads of libuv, not on the main thread. */
const deflate: Codec = {
  compress: (data) => deflateRaw(data, { level }),
  decompress: (data, size) => inflateRaw(data, { maxOutputLength: size }),
};

/** What Node.js has from 22.15 on, and its types for 20 lack. */
interface ZlibWithZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdCompress(data: Uint8Array, options: object, done: Done): void;
  zstdDecompress(data: Uint8Array, options: object, done: Done): void;
}
type Done = (error: Error | null, result: Buffer) => void;

/**
 * By Node.js where it has zstd, in threads of libuv; else by a library, which works on the calling
 * thread. Both write the same format.
 */
async function openZstd(): Promise<Codec> {
  if ('zstdCompress' in zlib) {
    const { constants, zstdCompress, zstdDecompress } = zlib as unknown as ZlibWithZstd;
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    const compress = promisify(zstdCompress);
    const decompress = promisify(zstdDecompress);
    return {
      compress: (data) => compress(data, { params }),
      decompress: (data, size) => decompress(data, { maxOutputLength: size }),
    };
  }
  const library = await import('@foxglove/wasm-zstd');
  await library.isLoaded;
  return {
    compress: async (data) => library.compress(data, level),
    decompress: async (data, size) => library.decompress(data, size),
  };
}

let zstd: Promise<Codec> | undefined;

/** The code of a compression; a publisher loads it before its first frame. */
export async function loadCodec(compression: Compression): Promise<Codec> {
  if (compression === 'deflate') return deflate;
  zstd ??= openZstd();
  return zstd;
}

/** `height × width` millimetres as compressed residuals, without loss. */
export async function packDepth(
  millimetres: Uint16Array,
  size: Size,
  compression: Compression,
): Promise<Uint8Array> {
  const { compress } = await loadCodec(compression);
  return compress(toResiduals(millimetres, size));
}

/**
 * The millimetres that `packDepth` was given. The size was checked before (`checkMessage`): no more
 * memory than that is used, whatever the payload claims.
 *
 * @throws CorruptMessage unless the payload holds exactly `height × width` values
 */
export async function unpackDepth(
  payload: Uint8Array,
  size: Size,
  compression: Compression,
): Promise<Uint16Array> {
  const bytes = 2 * size.width * size.height;
  const { decompress } = await loadCodec(compression);
  const residuals = await decompress(payload, bytes).catch((error: unknown) => {
    throw new CorruptMessage(`its payload cannot be unpacked to ${bytes} bytes: ${reason(error)}`);
  });
  if (residuals.length !== bytes)
    throw new CorruptMessage(`its payload holds ${residuals.length} bytes, not ${bytes}`);
  return fromResiduals(residuals, size);
}
