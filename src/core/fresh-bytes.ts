/**
 * Memory of its own for bytes that are all about to be written: not zeroed, and not part of a pool that other
 * buffers share.
 */
export function freshBytes(length: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}
