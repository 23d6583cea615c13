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
