import { describe, expect, it } from 'vitest';
import { CorruptMessage, longestHeader, parseJson } from '../../src/topic/header-check.ts';
import {
  encodeFrame,
  framings,
  hasTopic,
  packMessage,
  unpackMessage,
} from '../../src/topic/message.ts';
import { base, depthFrame, imageFrame } from '../support/frames.ts';

const options = { encoding: '32FC1', publishedAt: 5n, dropped: 0 } as const;
const depth = encodeFrame(depthFrame(3, 2), options);
const image = encodeFrame(imageFrame(3, 2), options);
const points = encodeFrame(
  { kind: 'points', ...base(1), count: 2, data: new Float32Array(6) },
  options,
);

const corrupt = (message: string) =>
  expect.objectContaining({
    name: 'DepthlineError',
    code: 'SOURCE',
    message: `not a Depthline message: ${message}`,
  }) as Error;

const read = ({ header, payload }: typeof depth, changes: object) =>
  unpackMessage(packMessage('multipart', 'depth', { ...header, ...changes } as never, payload));

describe('the message says what is wrong', () => {
  it.each([
    [depth, { v: 2 }, 'version 2, not 1'],
    [depth, { v: undefined }, 'version undefined, not 1'],
    [depth, { encoding: '64FC1' }, 'encoding 64FC1'],
    [depth, { encoding: ['32FC1'] }, 'encoding ["32FC1"]'],
    [depth, { kind: 'image' }, '32FC1 with kind image and dtype <f4'],
    [depth, { dtype: '<f8' }, '32FC1 with kind depth and dtype <f8'],
    [depth, { unit: 'mm' }, '32FC1 with unit mm, not m'],
    [depth, { scale: 2 }, '32FC1 with scale 2, not 1'],
    [depth, { invalid: 1 }, '32FC1 with invalid 1, not 0'],
    [points, { unit: 'mm' }, '32FC3 with unit mm, not m'],
    [depth, { shape: [2] }, 'shape [2]'],
    [depth, { shape: [2, -3] }, 'shape [2,-3]'],
    [depth, { shape: [2, 4] }, 'shape [2,4] needs 32 bytes, not 24'],
    [image, { shape: [2, 9, 1] }, 'rgb8 with 1 channels'],
    [points, { shape: [3, 2] }, 'points are not XYZ'],
    [depth, { width: 2 }, 'a picture of 2×2 with shape [2,3]'],
    [depth, { height: 3 }, 'a picture of 3×3 with shape [2,3]'],
    [image, { width: 4 }, 'a picture of 4×2 with shape [2,3,3]'],
    [depth, { seq: -1 }, 'seq -1'],
    [depth, { pts: 'now' }, 'pts now'],
    [depth, { capturedAt: null }, 'capturedAt null'],
    [depth, { source: 1 }, 'source 1'],
    [depth, { publishedAt: '-1' }, 'publishedAt -1'],
    [depth, { dropped: 1.5 }, 'dropped 1.5'],
    [depth, { range: [1] }, 'range [1]'],
    [depth, { intrinsics: { fx: 1 } }, 'intrinsics {"fx":1}'],
    [depth, { model: { sha256: 'ab' } }, 'model {"sha256":"ab"}'],
  ])('%#: %j', (message, changes, why) => {
    expect(() => read(message, changes)).toThrow(corrupt(why));
  });

  it.each([
    [['depth', 'null', ''], 'no header'],
    [['depth', '5', ''], 'no header'],
    [['depth', '{', ''], /^not a Depthline message: its header is not JSON: /],
    [['depth', '{}'], '2 parts instead of 1 or 3'],
    [[], '0 parts instead of 1 or 3'],
    [['depth'], 'it is truncated'],
    [['depth\0\x01\0\0'], 'it is truncated'],
    [['depth\0\x03\0\0\0{}'], 'a header of 3 bytes does not fit'],
  ])('%j', (parts, why) => {
    const error = typeof why === 'string' ? corrupt(why) : why;
    expect(() => unpackMessage(parts.map((part) => Buffer.from(part)))).toThrow(error);
  });

  it('of text that is not UTF-8', () => {
    const parts = packMessage('multipart', 'depth', depth.header, depth.payload);
    for (const part of [0, 1]) {
      const changed = parts.with(part, Buffer.of(0xff, 0xfe));
      expect(() => unpackMessage(changed)).toThrow(corrupt('it contains invalid UTF-8'));
    }
  });
});

it('a picture needs pixels, points and data do not', () => {
  const empty = (message: typeof depth, changes: object) =>
    read({ ...message, payload: new Uint8Array() }, changes);
  for (const shape of [
    [0, 3],
    [3, 0],
  ]) {
    expect(() => empty(depth, { shape, width: undefined, height: undefined })).toThrow(
      corrupt(`a picture of ${shape[1]}×${shape[0]} with shape ${JSON.stringify(shape)}`),
    );
  }
  expect(empty(points, { shape: [0, 3] }).payload).toHaveLength(0);
});

it('fills in what other programs leave out', () => {
  const { header } = read(depth, { publishedAt: undefined, dropped: undefined });
  expect(header).toMatchObject({ publishedAt: header.capturedAt, dropped: 0 });
});

it('takes null for what may be missing', () => {
  const absent = ['name', 'range', 'intrinsics', 'view', 'model'];
  const nulls = Object.fromEntries(
    [...absent, 'publishedAt', 'dropped'].map((name) => [name, null]),
  );
  const { header } = read(depth, nulls);
  expect(header).toMatchObject({ publishedAt: header.capturedAt, dropped: 0 });
  for (const name of absent) expect(header).not.toHaveProperty(name);
});

describe.each(framings)('a %s message', (framing) => {
  it('is corrupt wherever it is truncated', () => {
    const parts = packMessage(framing, 'depth', depth.header, depth.payload);
    const last = parts.length - 1;
    const part = parts[last] as Uint8Array;
    for (let length = 0; length < part.length; length++) {
      expect(() => unpackMessage(parts.with(last, part.subarray(0, length)))).toThrow(
        CorruptMessage,
      );
    }
    expect(unpackMessage(parts).header).toEqual(depth.header);
  });

  it('has a header of at most 65,536 bytes', () => {
    const rest = JSON.stringify({ ...depth.header, source: '' }).length;
    const withSource = (bytes: number) =>
      packMessage(
        framing,
        'depth',
        { ...depth.header, source: 'x'.repeat(bytes - rest) },
        depth.payload,
      );
    expect(unpackMessage(withSource(longestHeader)).header.source).toHaveLength(65_536 - rest);
    expect(() => unpackMessage(withSource(longestHeader + 1))).toThrow(/header.* 65537 bytes/);
  });

  it('is of the topic that it names, and of no other', () => {
    const parts = packMessage(framing, 'tiefe-ü', depth.header, depth.payload);
    expect(hasTopic(parts, 'tiefe-ü')).toBe(true);
    for (const other of ['tiefe-', 'tiefe-ü2', 'Tiefe-ü', 'tiefe-u', '']) {
      expect(hasTopic(parts, other)).toBe(false);
    }
  });
});

it('a message without parts has no topic; one without its end is left to the reader', () => {
  expect(hasTopic([], '')).toBe(false);
  expect(hasTopic([Buffer.from('depth')], 'other')).toBe(true);
});

it('accepts values nested up to 64 levels below the outermost', () => {
  const nested = (levels: number) => Buffer.from('['.repeat(levels) + ']'.repeat(levels));
  expect(parseJson(nested(65), 'header')).toHaveLength(1);
  for (const what of ['header', 'payload'] as const) {
    expect(() => parseJson(nested(66), what)).toThrow(corrupt(`its ${what} is nested too deeply`));
    expect(() => parseJson(Buffer.from('nul'), what)).toThrow(`its ${what} is not JSON: `);
  }
});
