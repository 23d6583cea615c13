import type { FileHandle } from 'node:fs/promises';
import { openRegular } from './own-file.ts';

const segment = 0x18538067;
const cluster = 0x1f43b675;
const blockGroup = 0xa0;
const block = 0xa1;
const simpleBlock = 0xa3;
/** Elements whose contents are walked through; what is in all others is skipped. */
const entered: ReadonlySet<number> = new Set([segment, cluster, blockGroup]);
/** The longest head of an element: 4 bytes of id, 8 of size. */
const headBytes = 12;
const chunkBytes = 65_536;

/**
 * Counts the frames of a Matroska file, also of one that was cut off: a player shows what is
 * complete. Files as GStreamer writes them, with one track.
 */
export async function countMatroskaFrames(path: string): Promise<number> {
  const handle = await openRegular(path, 'read');
  if (!handle) return 0;
  try {
    return await countFrames(handle);
  } finally {
    await handle.close();
  }
}

async function countFrames(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const chunk = Buffer.alloc(chunkBytes);
  let [from, to, at, frames] = [0, 0, 0, 0];
  while (at < size) {
    if (at < from || at + headBytes > to) {
      from = at;
      to = at + (await handle.read(chunk, 0, chunkBytes, at)).bytesRead;
    }
    const head = readHead(chunk.subarray(at - from, to - from));
    if (!head) return frames;
    at += head.bytes;
    if (entered.has(head.id)) continue;
    at += head.size;
    if ((head.id === block || head.id === simpleBlock) && at <= size) frames++;
  }
  return frames;
}

/** Id and size of an element; nothing if the bytes are too few or not a head. */
function readHead(bytes: Buffer): { id: number; size: number; bytes: number } | undefined {
  const idBytes = Math.clz32((bytes[0] ?? 0) << 24) + 1;
  const sizeBytes = Math.clz32((bytes[idBytes] ?? 0) << 24) + 1;
  if (idBytes > 4 || sizeBytes > 8 || idBytes + sizeBytes > bytes.length) return undefined;
  const id = bytes.readUIntBE(0, idBytes);
  let size = (bytes[idBytes] as number) & (0xff >> sizeBytes);
  for (let i = 1; i < sizeBytes; i++) size = size * 256 + (bytes[idBytes + i] as number);
  return { id, size, bytes: idBytes + sizeBytes };
}
