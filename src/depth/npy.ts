import type { DepthMap } from '../core/frame.ts';
import { fromMillimetres } from './millimetres.ts';

/** NumPy's `.npy` format, version 1.0, little-endian. */
export function encodeNpy(
  data: Float32Array | Uint8Array | Uint16Array,
  shape: readonly number[],
): Uint8Array {
  const descr = data instanceof Float32Array ? '<f4' : data instanceof Uint16Array ? '<u2' : '|u1';
  const size = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${size}, }`;
  // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
  const headerLength = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + headerLength + data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, headerLength & 255, headerLength >> 8]);
  out.set(new TextEncoder().encode(`${text.padEnd(headerLength - 1)}\n`), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerLength);
  return out;
}

/**
 * Depth in NumPy's `.npy` format: two-dimensional `float32` or `float64` in metres, or `uint16` in
 * millimetres, as `encodeNpy` and other programs write it.
 *
 * @throws Error that says what is wrong with the file
 */
export function decodeNpyDepth(file: Uint8Array): DepthMap {
  const { descr, shape, fortran, start } = npyHeader(file);
  const [height = 0, width = 0] = shape;
  const type = depthTypes[descr];
  if (shape.length !== 2 || width * height === 0 || !type || fortran) {
    const order = fortran ? ' in Fortran order' : '';
    throw new Error(
      `it holds ${descr} of shape (${shape.join(', ')})${order}, where depth is float32 metres or uint16 millimetres of shape (height, width)`,
    );
  }
  const size = width * height * type.bytes;
  if (file.length < start + size)
    throw new Error(`it is cut off: ${file.length - start} bytes of data instead of ${size}`);
  // A copy, aligned as typed arrays need it; slice() of a Buffer makes none.
  const copy = new Uint8Array(file.subarray(start, start + size));
  return { width, height, data: type.metres(copy.buffer) };
}

const depthTypes: Readonly<
  Record<string, { bytes: number; metres(data: ArrayBuffer): Float32Array }>
> = {
  '<f4': { bytes: 4, metres: (data) => new Float32Array(data) },
  '<f8': { bytes: 8, metres: (data) => Float32Array.from(new Float64Array(data)) },
  '<u2': { bytes: 2, metres: (data) => fromMillimetres(new Uint16Array(data)) },
};

interface NpyHeader {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly fortran: boolean;
  /** Offset of the data, bytes. */
  readonly start: number;
}

function npyHeader(file: Uint8Array): NpyHeader {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (file.length < 12 || !magic.every((byte, i) => file[i] === byte))
    throw new Error('it is not a NumPy file');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [length, at] =
    file[6] === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const text = new TextDecoder('latin1').decode(file.subarray(at, at + length));
  const [, descr] = /'descr':\s*'([^']*)'/.exec(text) ?? [];
  const [, sides] = /'shape':\s*\(([^)]*)\)/.exec(text) ?? [];
  if (descr === undefined || sides === undefined) throw new Error('its header cannot be read');
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]));
  return { descr, shape, fortran: /'fortran_order':\s*True/.test(text), start: at + length };
}
