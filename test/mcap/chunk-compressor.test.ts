import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '@foxglove/crc';
import { McapIndexedReader } from '@mcap/core';
import { afterEach, describe, expect, it } from 'vitest';
import { ChunkCompressor } from '../../src/mcap/chunk-compressor.ts';
import type { WrittenMessage } from '../../src/mcap/chunked-writer.ts';
import { type Compression, compressions, loadDecompressors } from '../../src/mcap/compression.ts';
import { RecordingFile } from '../../src/mcap/recording-file.ts';
import { workplace } from '../support/cli.ts';

const data = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index) >> 5);

const open: ChunkCompressor[] = [];
const warnings: string[] = [];

function compressor(compression: Compression): ChunkCompressor {
  const made = new ChunkCompressor(compression, (message) => warnings.push(message));
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  warnings.length = 0;
});

describe('ChunkCompressor', () => {
  it.each(compressions)('%s: gives what unpacks to the same data', async (compression) => {
    const { records, crc, ...packed } = await compressor(compression).pack(data);
    expect(packed.compression).toBe(compression === 'none' ? '' : compression);
    expect(crc).toBe(crc32(data));
    const unpack = (await loadDecompressors())[packed.compression];
    const bytes = unpack ? unpack(records, BigInt(data.length)) : records;
    expect(Buffer.compare(Buffer.from(bytes), Buffer.from(data))).toBe(0);
  });

  it('packs chunks that are given at once in their order, each of its own', async () => {
    const one = compressor('lz4');
    const chunks = [1, 2, 3].map((value) => new Uint8Array(1000 * value).fill(value));
    const packed = await Promise.all(chunks.map((chunk) => one.pack(chunk)));
    expect(packed.map(({ crc }) => crc)).toEqual(chunks.map(crc32));
  });

  it('goes on without compression when its thread has ended, and says so once', async () => {
    const one = compressor('zstd');
    await one.close();
    const packed = [await one.pack(data), await one.pack(data)];
    expect(packed).toEqual(
      [1, 2].map(() => ({ compression: '', records: data, crc: crc32(data) })),
    );
    expect(warnings).toEqual([
      'the compression thread was closed; what follows is recorded uncompressed',
    ]);
  });
});

describe('RecordingFile', () => {
  it('is whole if the compression ends while it is recorded', async () => {
    const one = compressor('zstd');
    const base = join(workplace(), 'run.mcap');
    const options = { profile: '', library: 'test', chunkBytes: 50_000 };
    const file = await RecordingFile.create(base, 1, options, one);
    await file.add([message(1n)], 1);
    await file.flush();
    await one.close();
    await file.add([message(2n)], 1);
    expect(file.unwritten).toBe(1);
    await file.finish(new Map());
    expect(file).toMatchObject({ written: 2, unwritten: 0 });

    const reader = await McapIndexedReader.Initialize({
      readable: readable(readFileSync(base)),
      decompressHandlers: await loadDecompressors(),
    });
    expect(reader.chunkIndexes.map(({ compression }) => compression)).toEqual(['zstd', '']);
    const times: bigint[] = [];
    for await (const read of reader.readMessages({ validateCrcs: true })) times.push(read.logTime);
    expect(times).toEqual([1n, 2n]);
  });
});

function message(logTime: bigint): WrittenMessage {
  const times = { sequence: 0, logTime, publishTime: logTime };
  return { topic: '/data', schema: undefined, messageEncoding: 'json', ...times, data };
}

function readable(bytes: Buffer) {
  return {
    size: async () => BigInt(bytes.length),
    read: async (offset: bigint, length: bigint) =>
      bytes.subarray(Number(offset), Number(offset + length)),
  };
}
