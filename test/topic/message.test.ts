import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { CorruptMessage } from '../../src/topic/header-check.ts';
import {
  decodeFrame,
  encodeFrame,
  framings,
  packMessage,
  unpackMessage,
} from '../../src/topic/message.ts';
import { base, depthFrame, imageFrame } from '../support/frames.ts';

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
  it('brings a depth frame in metres bit for bit', () => {
    const known = {
      ...depth,
      range: [0.1, 10] as const,
      model: { name: 'm', sha256: 'ab' },
      intrinsics: { fx: 1, fy: 2, cx: 3, cy: 4 },
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

  it('brings depth in millimetres to the millimetre', () => {
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

  it('brings pictures, points and data', () => {
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

  it('never does worse than to be called corrupt, whatever happened to it', () => {
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
    if (frame.kind !== 'data') expect(frame.data.length).toBeLessThanOrEqual(total);
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptMessage);
  }
}

describe('what is not a message', () => {
  it('is called corrupt', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), survives),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a shape that its payload does not bear out', { shape: [1e9, 1e9] }],
    ['a negative shape', { shape: [-5, -7] }],
    ['too many dimensions', { shape: [5, 7, 1] }],
    ['an unknown encoding', { encoding: 'constructor' }],
    ['another dtype', { dtype: '<f8' }],
    ['another kind', { kind: 'image' }],
    ['another version', { v: 2 }],
    ['times that are none', { capturedAt: '1e400' }],
    ['a seq that is none', { seq: 0.5 }],
  ])('with %s is called corrupt', (_, lie) => {
    const { header, payload } = encodeFrame(depth, options);
    const parts = packMessage('multipart', 'depth', { ...header, ...lie } as never, payload);
    expect(() => decodeFrame(unpackMessage(parts))).toThrow(CorruptMessage);
  });
});
