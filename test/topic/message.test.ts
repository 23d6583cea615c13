import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { FrameRefused } from '../../src/core/frame-refused.ts';
import { CorruptMessage } from '../../src/topic/header-check.ts';
import {
  decodeFrame,
  encodeFrame,
  framings,
  hasTopic,
  packMessage,
  unpackMessage,
} from '../../src/topic/message.ts';
import { base, depthFrame, imageFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';

const options = { encoding: '32FC1', publishedAt: 5n, dropped: 2 } as const;

function trip(
  frame: Frame,
  framing: (typeof framings)[number],
  encoding = options.encoding as '32FC1' | '16UC1',
) {
  const { header, payload } = encodeFrame(frame, { ...options, encoding });
  const message = unpackMessage(packMessage(framing, 'a topic', header, payload));
  expect(message.topic).toBe('a topic');
  return { header: message.header, frame: decodeFrame(message) };
}

const depth = depthFrame(7, 5, 3, (x, y) => (x === 0 ? 0 : 0.1 + x / 3 + y));

describe.each(framings)('a %s message', (framing) => {
  it('carries a depth frame in metres bit for bit', () => {
    const known = {
      ...depth,
      name: 'sub/kitchen.jpg',
      range: [0.1, 10] as const,
      model: { name: 'm', sha256: 'ab' },
      intrinsics: { fx: 1, fy: 2, cx: 3, cy: 4 },
      view: {
        left: -1.5,
        top: 0,
        width: 12,
        height: 5,
        source: { width: 9, height: 5 },
        flip: 'both' as const,
        shown: { left: 1, top: 0, width: 7.5, height: 5 },
      },
    };
    const { header, frame } = trip(known, framing);
    expect(frame).toEqual(known);
    expect(header).toMatchObject({
      v: 1,
      dtype: '<f4',
      shape: [5, 7],
      encoding: '32FC1',
      unit: 'm',
      invalid: 0,
      dropped: 2,
      publishedAt: '5',
    });
  });

  it('carries depth in millimetres to the millimetre', () => {
    const { header, frame } = trip(depth, framing, '16UC1');
    expect(header).toMatchObject({ dtype: '<u2', encoding: '16UC1', unit: 'mm', scale: 0.001 });
    const data = (frame as typeof depth).data;
    for (const [i, metres] of depth.data.entries()) expect(data[i]).toBeCloseTo(metres, 2.9);
    expect(data[0]).toBe(0);
  });

  it.each(['32FC1', '16UC1'] as const)('is corrupt with another scale than %s has', (encoding) => {
    const { header, payload } = encodeFrame(depth, { ...options, encoding });
    const parts = packMessage(framing, 'depth', { ...header, scale: 0.0002 }, payload);
    expect(() => unpackMessage(parts)).toThrow(`${encoding} with scale 0.0002`);
  });

  it('carries pictures, points and data', () => {
    const rgba = { ...imageFrame(4, 3), format: 'rgba' as const, data: new Uint8Array(48).fill(9) };
    const points = {
      kind: 'points' as const,
      ...base(1),
      count: 2,
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    };
    const data = { kind: 'data' as const, ...base(2), value: { left: 1.5, tooClose: [] } };
    for (const frame of [imageFrame(4, 3), rgba, points, data])
      expect(trip(frame, framing).frame).toEqual(frame);
  });

  it('is at worst reported as corrupt, whatever happened to it', () => {
    const { header, payload } = encodeFrame(depth, options);
    const parts = packMessage(framing, 'depth', header, payload);
    const mutation = fc.record({
      part: fc.nat(parts.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const mangled = parts.map((part) => part.slice());
        for (const { part, at, bytes, cut } of mutations) {
          const target = mangled[part] as Uint8Array;
          const start = Math.floor(at * target.length);
          if (cut) mangled[part] = target.slice(0, start);
          else target.set(bytes.subarray(0, target.length - start), start);
        }
        survives(mangled);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Decodes, or says that it is corrupt; a frame is never larger than what came. */
function survives(parts: readonly Uint8Array[]): void {
  try {
    const frame = decodeFrame(unpackMessage(parts));
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    if ('data' in frame) expect(frame.data.length).toBeLessThanOrEqual(total);
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptMessage);
  }
}

describe('what is not a message', () => {
  it('is corrupt', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), survives),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a shape that does not match its payload', { shape: [1e9, 1e9] }],
    ['a negative shape', { shape: [-5, -7] }],
    ['too many dimensions', { shape: [5, 7, 1] }],
    ['an unknown encoding', { encoding: 'constructor' }],
    ['another dtype', { dtype: '<f8' }],
    ['another kind', { kind: 'image' }],
    ['another version', { v: 2 }],
    ['an invalid time', { capturedAt: '1e400' }],
    ['an invalid seq', { seq: 0.5 }],
  ])('with %s is corrupt', (_, lie) => {
    const { header, payload } = encodeFrame(depth, options);
    const parts = packMessage('multipart', 'depth', { ...header, ...lie } as never, payload);
    expect(() => decodeFrame(unpackMessage(parts))).toThrow(CorruptMessage);
  });
});

describe('a number in a header', () => {
  const { header, payload } = encodeFrame(
    { ...depth, range: [0.1, 10], intrinsics: { fx: 1, fy: 1, cx: 0, cy: -1 } },
    options,
  );
  const read = (changes: object) =>
    decodeFrame(
      unpackMessage(packMessage('multipart', 'depth', { ...header, ...changes } as never, payload)),
    );
  const k = { fx: 1, fy: 1, cx: 0, cy: 0 };
  const view = { left: 0, top: 0, width: 8, height: 6, source: { width: 8, height: 6 } };

  it.each([
    { seq: 0 },
    { seq: Number.MAX_SAFE_INTEGER },
    { pts: '0', capturedAt: '0', publishedAt: '0', dropped: 0 },
    { pts: '9223372036854775807', capturedAt: '9223372036854775807' },
    { publishedAt: undefined, dropped: undefined, scale: undefined, invalid: undefined },
    { range: undefined, intrinsics: undefined, model: undefined, unit: undefined },
    { range: null, intrinsics: null, model: null, width: undefined, height: undefined },
    { range: [0, 1e-9] },
    { intrinsics: { fx: 1e-9, fy: 1e9, cx: -1e9, cy: 1e9 } },
    { view },
    { view: { ...view, left: -1e9, width: 1e-9, rotation: 'of a later version' } },
    { view: null },
    { name: 'a' },
    { name: null },
  ])('is taken: %j', (changes) => {
    expect(read(changes)).toMatchObject({ kind: 'depth', width: 7, height: 5 });
  });

  it.each([
    { seq: -1 },
    { seq: 2 ** 53 },
    { seq: '1' },
    { seq: null },
    { pts: '-1' },
    { pts: '9223372036854775808' },
    { pts: '9'.repeat(5000) },
    { pts: '' },
    { pts: '1.5' },
    { pts: ' 1' },
    { pts: '0x1' },
    { pts: 1 },
    { pts: undefined },
    { capturedAt: '-9999999999999999999' },
    { capturedAt: undefined },
    { publishedAt: '9999999999999999999' },
    { publishedAt: 5 },
    { dropped: -1 },
    { dropped: 0.5 },
    { dropped: '0' },
    { shape: [5.5, 7] },
    { shape: ['5', '7'] },
    { shape: [true, 35] },
    { shape: [0, 0] },
    { shape: '57' },
    { width: 8 },
    { height: 0 },
    { width: '7' },
    { scale: 0.001 },
    { scale: '1' },
    { unit: 'mm' },
    { invalid: -1 },
    { invalid: null },
    { range: [1, 1] },
    { range: [2, 1] },
    { range: [-0.1, 1] },
    { range: [0, null] },
    { range: [0, '1'] },
    { range: [0, 1, 2] },
    { range: 5 },
    { intrinsics: { ...k, fx: 0 } },
    { intrinsics: { ...k, fy: -1 } },
    { intrinsics: { ...k, cx: 1.1e9 } },
    { intrinsics: { ...k, cy: '0' } },
    { intrinsics: { fx: 1, fy: 1 } },
    { intrinsics: [] },
    { name: '' },
    { name: 5 },
    { name: 'a'.repeat(1025) },
    { view: 'all' },
    { view: { ...view, width: 0 } },
    { view: { ...view, left: 1.1e9 } },
    { view: { ...view, top: '0' } },
    { view: { ...view, source: undefined } },
    { view: { ...view, source: { width: 8.5, height: 6 } } },
    { view: { ...view, source: { width: 8, height: 0 } } },
    { view: { ...view, flip: 'diagonal' } },
    { view: { ...view, shown: { left: 0 } } },
    { model: { name: 'm' } },
    { model: 'm' },
    { source: 5 },
    { v: 1.5 },
    { kind: 'points' },
  ])('is refused: %j', (changes) => {
    expect(() => read(changes)).toThrow(CorruptMessage);
  });

  it('is refused where JSON makes it infinite', () => {
    for (const key of ['seq', 'range', 'intrinsics']) {
      const infinite =
        key === 'seq'
          ? '1e400'
          : key === 'range'
            ? '[0,1e400]'
            : '{"fx":1e400,"fy":1,"cx":1,"cy":1}';
      const json = JSON.stringify({ ...header, [key]: '@' }).replace('"@"', infinite);
      const parts = [Buffer.from('depth'), Buffer.from(json), payload];
      expect(() => unpackMessage(parts)).toThrow(CorruptMessage);
    }
  });

  it('is not sent where no reader would take it', () => {
    const odd = {
      ...depth,
      range: [0, Number.POSITIVE_INFINITY] as const,
      intrinsics: { ...k, fx: Number.NaN },
    };
    const sent = encodeFrame(odd, options).header;
    expect(sent).not.toHaveProperty('range');
    expect(sent).not.toHaveProperty('intrinsics');
    expect(trip({ kind: 'data', ...base(1), value: undefined }, 'single').frame).toMatchObject({
      value: null,
    });
  });
});

it('times that no reader accepts are refused, not published', () => {
  const options = { encoding: '32FC1', publishedAt: 1n, dropped: 0 } as const;
  const latest = 2n ** 63n - 1n;
  for (const times of [{ pts: -1n }, { pts: latest + 1n }, { capturedAt: -1n }]) {
    expect(() => encodeFrame({ ...depthFrame(2, 2), ...times }, options)).toThrow(FrameRefused);
  }
  const header = encodeFrame({ ...depthFrame(2, 2), capturedAt: latest }, options).header;
  expect(header.capturedAt).toBe(String(latest));
});

describe('relative depth', () => {
  const relative = { ...depth, unit: 'relative' as const };

  it.each(framings)('stays relative in a %s message, and has no scale', (framing) => {
    const { header, frame } = trip(relative, framing);
    expect(frame).toEqual(relative);
    expect(header.unit).toBe('relative');
    expect(header).not.toHaveProperty('scale');
    expect(trip(depth, framing).header.scale).toBe(1);
    expect(trip(depth, framing).frame).not.toHaveProperty('unit');
  });

  it('is refused in millimetres', () => {
    expect(() => encodeFrame(relative, { ...options, encoding: '16UC1' })).toThrow(FrameRefused);
    expect(() => encodeFrame(depth, { ...options, encoding: '16UC1' })).not.toThrow();
  });
});

it('range and model are sent with depth alone', () => {
  const about = { range: [0.1, 10], model: { name: 'm', sha256: 'ab' } };
  const picture = encodeFrame({ ...imageFrame(4, 3), ...about } as Frame, options).header;
  expect(picture).not.toHaveProperty('range');
  expect(picture).not.toHaveProperty('model');
  const plain = encodeFrame(depth, options).header;
  expect(plain).not.toHaveProperty('range');
  expect(plain).not.toHaveProperty('model');
});

it('a decoded frame has memory of its own', () => {
  for (const frame of [depth, imageFrame(4, 3)]) {
    const { header, payload } = encodeFrame(frame, options);
    const message = unpackMessage(packMessage('multipart', 'depth', header, payload));
    const decoded = decodeFrame(message) as typeof frame;
    expect(decoded.data.buffer).not.toBe(message.payload.buffer);
  }
});

describe('a message in one part', () => {
  const { header, payload } = encodeFrame(depth, options);
  const single = (topic: string) => packMessage('single', topic, header, payload)[0] as Uint8Array;
  const reading = (bytes: Uint8Array) => () => unpackMessage([bytes]);

  it('has its payload behind the header, aligned, whatever the length of the topic', () => {
    for (let length = 0; length <= 64; length++) {
      const topic = 'x'.repeat(length);
      const bytes = single(topic);
      expect((bytes.length - payload.length) % 64).toBe(0);
      const message = unpackMessage([bytes]);
      expect(message.topic).toBe(topic);
      expect(decodeFrame(message)).toEqual(depth);
      expect(hasTopic([bytes], topic)).toBe(true);
      expect(hasTopic([bytes], `${topic}x`)).toBe(false);
    }
  });

  it('may have an empty topic', () => {
    expect(hasTopic([single('')], '')).toBe(true);
    expect(hasTopic([single('')], 'depth')).toBe(false);
  });

  it('is truncated if it ends within the length of its header', () => {
    const bytes = single('depth');
    expect(reading(bytes.subarray(0, 9))).toThrow('it is truncated');
    const empty = Buffer.from('depth\0\0\0\0\0');
    expect(reading(empty)).toThrow('its header is not JSON');
  });

  it('must hold its header, which is at most 64 KiB', () => {
    const bytes = single('depth');
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6, true);
    const does = `a header of ${length} bytes does not fit`;
    expect(reading(bytes.subarray(0, 10 + length - 1))).toThrow(does);
    expect(reading(bytes.subarray(0, 10 + length))).toThrow(/needs 140 bytes, not 0/);
    const huge = Buffer.concat([Buffer.from('depth\0'), Buffer.alloc(4), Buffer.alloc(70_000)]);
    huge.writeUInt32LE(65_537, 6);
    expect(reading(huge)).toThrow('a header of 65537 bytes does not fit');
  });
});

it('has one part or three', () => {
  const { header, payload } = encodeFrame(depth, options);
  const parts = packMessage('multipart', 'depth', header, payload);
  expect(() => unpackMessage([...parts, payload])).toThrow('4 parts instead of 1 or 3');
  expect(() => unpackMessage(parts.slice(0, 2))).toThrow('2 parts instead of 1 or 3');
});

it('says that data is not JSON', () => {
  const { header } = encodeFrame({ kind: 'data', ...base(1), value: [1] }, options);
  const parts = packMessage('multipart', 'depth', header, Buffer.from('[1}'));
  expect(() => decodeFrame(unpackMessage(parts))).toThrow('its payload is not JSON');
});

it.each(['32FC1', '16UC1'] as const)(
  '%s in a part of a Buffer is decoded as a copy',
  (encoding) => {
    const { header, payload } = encodeFrame(depth, { ...options, encoding });
    const [message] = packMessage('single', 'depth', header, payload) as [Uint8Array];
    const received = Buffer.concat([Buffer.alloc(3), message, Buffer.alloc(5)]).subarray(3, -5);
    const { data } = decodeFrame(unpackMessage([received])) as typeof depth;
    received.fill(0);
    expect(data).toHaveLength(35);
    expect(data[34]).toBeCloseTo(depth.data[34] as number, 3);
  },
);
