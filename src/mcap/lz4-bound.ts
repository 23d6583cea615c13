const magic = 0x184d2204;
/** lz4 makes data at most so many times smaller. */
const mostRatio = 255;

/**
 * The most bytes that an lz4 frame can unpack to, by the sizes of its blocks: the library unpacks to the
 * end, whatever the file says of the size.
 */
export function lz4Bound(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  // What is no frame, the library refuses.
  if (frame.length < 7 || view.getUint32(0, true) !== magic) return 0;
  const [flags, sizes] = [view.getUint8(4), view.getUint8(5)];
  const largestBlock = 2 ** (8 + 2 * ((sizes >> 4) & 7));
  const checksum = flags & 16 ? 4 : 0;
  let at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  let bound = 0;
  while (at + 4 <= frame.length) {
    const head = view.getUint32(at, true);
    const length = head & 0x7fff_ffff;
    if (length === 0) break;
    const packed = head >>> 31 === 0;
    bound += packed ? Math.min(largestBlock, length * mostRatio) : length;
    at += 4 + length + checksum;
  }
  return bound;
}
