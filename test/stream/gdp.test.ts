import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packRows } from '../../src/stream/form.ts';
import { FrameReader, type ReadPicture } from '../../src/stream/frame-reader.ts';
import {
  crc16,
  GdpError,
  gdpHeaderLength,
  gdpType,
  parseGdpHeader,
  parseVideoCaps,
} from '../../src/stream/gdp.ts';
import { fc } from '../support/property.ts';

/** What GStreamer itself writes: 4 pictures of 9×5, whose rows are padded by one byte. */
let stream: Buffer;
const packets = () => split(stream);

beforeAll(() => {
  const directory = mkdtempSync(join(tmpdir(), 'gdp-'));
  const path = join(directory, 'frames.gdp');
  const line = `videotestsrc num-buffers=4 pattern=snow ! video/x-raw,format=RGB,width=9,height=5,framerate=25/1 ! gdppay ! filesink location=${path}`;
  execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 60_000 });
  stream = readFileSync(path);
  rmSync(directory, { recursive: true });
});

function split(bytes: Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + gdpHeaderLength + parseGdpHeader(bytes, at).length;
    all.push(bytes.subarray(at, end));
    at = end;
  }
  return all;
}

function feed(bytes: Uint8Array, chunks: number[] = []): { frames: ReadPicture[]; idle: boolean } {
  const frames: ReadPicture[] = [];
  const reader = new FrameReader();
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const wanted = chunks.length > 0 ? (chunks[i % chunks.length] as number) : bytes.length;
    const n = Math.min(wanted, bytes.length - at, reader.target.length);
    reader.target.set(bytes.subarray(at, at + n));
    const picture = reader.filled(n);
    if (picture) frames.push(picture);
    at += n;
  }
  return { frames, idle: reader.idle };
}

describe('GDP header', () => {
  test('gives type, length, PTS and duration as gdppay wrote them', () => {
    const headers = packets().map((packet) => parseGdpHeader(packet));
    const pictures = headers.filter(({ type }) => type === gdpType.buffer);
    expect(pictures.map(({ pts }) => pts)).toEqual([0n, 40_000_000n, 80_000_000n, 120_000_000n]);
    expect(pictures.every(({ duration }) => duration === 40_000_000n)).toBe(true);
    expect(pictures[0]?.length).toBe(28 * 5);
  });

  test('detects every flipped bit that the checksum covers', () => {
    const packet = packets().find((p) => p.readUInt16BE(4) === gdpType.buffer) as Buffer;
    for (let bit = 0; bit < 60 * 8; bit++) {
      const damaged = Buffer.from(packet);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      // The bit that says whether there is a checksum, and the version, are checked otherwise.
      if (bit === 16) continue;
      expect(() => parseGdpHeader(damaged), `bit ${bit}`).toThrow(GdpError);
    }
  });

  test('rejects a header that is cut short', () => {
    expect(() => parseGdpHeader(new Uint8Array(61))).toThrow(
      '61 bytes are too few for a GDP header',
    );
    expect(() => parseGdpHeader(new Uint8Array(100), 50)).toThrow('50 bytes are too few');
    expect(() => parseGdpHeader(new Uint8Array(100), 39)).toThrow('61 bytes are too few');
  });

  /** A header without a checksum. */
  function header({ version = 1, type = 1, length = 0, pts = 2n ** 64n - 1n, flags = 0 }): Buffer {
    const bytes = Buffer.alloc(gdpHeaderLength);
    bytes.writeUInt8(version, 0);
    bytes.writeUInt8(flags, 2);
    bytes.writeUInt16BE(type, 4);
    bytes.writeUInt32BE(length, 6);
    bytes.writeBigUInt64BE(pts, 10);
    bytes.writeBigUInt64BE(pts - 1n, 18);
    return bytes;
  }

  test('is read where it begins, and may be without a checksum or a time', () => {
    const bytes = Buffer.concat([Buffer.alloc(7, 0xff), header({ type: 2, length: 9 })]);
    expect(parseGdpHeader(bytes, 7)).toEqual({
      ...{ type: 2, length: 9, pts: undefined, duration: 2n ** 64n - 2n },
    });
    expect(parseGdpHeader(header({ pts: 5n }))).toMatchObject({ pts: 5n, duration: 4n });
  });

  test('says which check it does not pass', () => {
    expect(() => parseGdpHeader(header({ version: 2 }))).toThrow('GDP version 2 instead of 1');
    expect(() => parseGdpHeader(header({ flags: 1 }))).toThrow(
      'the checksum of a GDP header is wrong',
    );
    const most = 512 * 1024 * 1024;
    expect(parseGdpHeader(header({ length: most })).length).toBe(most);
    expect(() => parseGdpHeader(header({ length: most + 1 }))).toThrow(
      `a GDP packet of ${most + 1} bytes`,
    );
  });

  test('has the checksum of CRC-CCITT, inverted', () => {
    // The check value of this CRC for the digits 1 to 9 is 0x29b1.
    const digits = Buffer.from('--123456789--');
    expect(crc16(digits, 2, 11)).toBe(~0x29b1 & 0xffff);
    expect(crc16(digits, 2, 2)).toBe(0);
  });
});

describe('caps', () => {
  test('give size, format and frame interval', () => {
    const text =
      'video/x-raw, format=(string)RGB, width=(int)640, height=(int)480, framerate=(fraction)30000/1001';
    expect(parseVideoCaps(text)).toEqual({
      format: 'RGB',
      width: 640,
      height: 480,
      interval: 33_366_667n,
    });
  });

  test('of a variable rate have no interval', () => {
    const text =
      'video/x-raw, format=(string)RGB, width=(int)8, height=(int)8, framerate=(fraction)0/1';
    expect(parseVideoCaps(text).interval).toBeUndefined();
  });

  test.each([
    'audio/x-raw, rate=(int)8000',
    'audio/x-raw, format=(string)RGB, width=(int)8, height=(int)8',
    'video/x-raw, format=(string)RGB',
    'video/x-raw, width=(int)8, height=(int)8',
    'video/x-raw, format=(string)RGB, width=(int)0, height=(int)8',
    'video/x-raw, format=(string)RGB, width=(int)8, height=(int)0',
    'video/x-raw, format=(string)RGB, width=(int)8, height=(int)-8',
    'video/x-raw, format=(string)RGB, height=(int)8',
    '',
  ])('that are not raw video are rejected: %s', (text) => {
    expect(() => parseVideoCaps(text)).toThrow(GdpError);
    expect(() => parseVideoCaps(text)).toThrow(`caps that are not raw video: ${text}`);
  });

  test('that are rejected are quoted up to 200 characters', () => {
    const cut = `caps that are not raw video: ${'x'.repeat(200)}`;
    expect(() => parseVideoCaps('x'.repeat(300))).toThrow(new GdpError(cut));
  });

  test('may be without types, quoted, spaced out, or without a rate', () => {
    const text = 'video/x-raw; format="RGB" , width=8, height= (int)6';
    expect(() => parseVideoCaps(text)).toThrow(GdpError);
    expect(parseVideoCaps('video/x-raw; format="RGB" , width=8,height=6 ; a=b')).toEqual({
      ...{ format: 'RGB', width: 8, height: 6, interval: undefined },
    });
  });
});

describe('frame reader', () => {
  test('gives the same frames however the stream is cut', () => {
    const bytes = stream;
    const whole = feed(bytes);
    expect(whole.frames).toHaveLength(4);
    expect(whole.idle).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (chunks) => {
        expect(feed(bytes, chunks).frames).toEqual(whole.frames);
      }),
      { numRuns: 50 },
    );
  });

  test('packs padded rows and passes the times on', () => {
    const { frames } = feed(stream);
    const first = frames[0] as ReadPicture;
    const packet = packets().find((p) => p.readUInt16BE(4) === gdpType.buffer) as Buffer;
    const padded = packet.subarray(gdpHeaderLength);
    const packed = new Uint8Array(9 * 5 * 3);
    packRows(padded, { bytes: 27, stride: 28, count: 5 }, packed);
    expect(first.data).toEqual(packed);
    expect(first.data).toHaveLength(9 * 5 * 3);
    expect([...first.data.subarray(27, 30)]).toEqual([...padded.subarray(28, 31)]);
    expect(first).toMatchObject({ pts: 0n, duration: 40_000_000n });
  });

  test('each frame has a buffer of its own', () => {
    const { frames } = feed(stream);
    expect(new Set(frames.map(({ data }) => data.buffer)).size).toBe(4);
  });

  test('a cut stream is not idle, and a damaged one throws GdpError and nothing else', () => {
    const bytes = stream;
    expect(feed(bytes.subarray(0, bytes.length - 3)).idle).toBe(false);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const damaged = Buffer.from(bytes);
          damaged[at] = (damaged[at] as number) ^ flip;
          try {
            for (const frame of feed(damaged).frames) expect(frame.data).toHaveLength(135);
          } catch (error) {
            expect(error).toBeInstanceOf(GdpError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a picture before its caps, or of another size than they say, throws', () => {
    const picture = packets().findLast((p) => p.readUInt16BE(4) === gdpType.buffer) as Buffer;
    expect(() => feed(picture)).toThrow(/before its caps/);
  });
});
