import { compressFrameSync } from 'lz4-napi';
import { describe, expect, it } from 'vitest';
import { loadDecompressors } from '../../src/mcap/compression.ts';
import { lz4Bound } from '../../src/mcap/lz4-bound.ts';

/** A frame of compressed blocks that are not read: each may unpack to 4 MB. */
function bomb(blocks: number): Buffer {
  const head = Buffer.from([4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0]);
  const block = Buffer.alloc(4 + 20_000);
  block.writeUInt32LE(20_000);
  return Buffer.concat([head, ...Array.from({ length: blocks }, () => block)]);
}

describe('chunks that unpack to more than is taken for one', () => {
  it.each(['lz4', 'zstd'] as const)('%s: are refused by the size they claim', async (name) => {
    const unpack = (await loadDecompressors())[name];
    expect(() => unpack?.(Buffer.alloc(10), 2n ** 31n)).toThrow(
      'a chunk of 2147483648 bytes, more than 1073741824',
    );
  });

  it('lz4: are refused by their blocks, whatever they claim', async () => {
    const { lz4 } = await loadDecompressors();
    expect(() => lz4?.(bomb(300), 10n)).toThrow(/a chunk of \d+ bytes, more than 1073741824/);
  });
});

describe('the most bytes that an lz4 frame can unpack to', () => {
  it.each([
    ['zeros', Buffer.alloc(3_000_000)],
    ['noise', Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31) >> 7))],
    ['nothing', Buffer.alloc(0)],
  ])('is no less than it does: %s', (_, data) => {
    const bound = lz4Bound(compressFrameSync(data));
    expect(bound).toBeGreaterThanOrEqual(data.length);
    expect(bound).toBeLessThan(data.length + 2 ** 22);
  });

  it('is nothing for what is no frame', () => {
    expect(lz4Bound(Buffer.from('no lz4'))).toBe(0);
    expect(lz4Bound(Buffer.alloc(100))).toBe(0);
  });
});
