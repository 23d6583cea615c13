import { expect, test } from 'vitest';
import { depthValues } from '../../../src/gstreamer/depth/depth-values.ts';

const size = { width: 4, height: 1 };
const depth = (scale: number) => ({ values: 'depth', scale }) as const;
const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

test('millimetres are the metres that a file of the same values gives', () => {
  const stored = bytesOf(Uint16Array.of(0, 1, 1234, 65_535));
  const metres = depthValues(stored, { ...size, type: 'uint16', offset: 0 }, depth(0.001));
  expect(metres).toEqual(Float32Array.of(0, 0.001, 1.234, 65.535));
});

test('big-endian values are swapped', () => {
  const stored = Uint8Array.of(0, 1, 0x04, 0xd2, 0xff, 0xff, 0, 0);
  const metres = depthValues(stored, { ...size, type: 'uint16be', offset: 0 }, depth(0.001));
  expect(metres).toEqual(Float32Array.of(0.001, 1.234, 65.535, 0));
});

test('another step than a millimetre', () => {
  const stored = bytesOf(Uint16Array.of(0, 4, 8, 40));
  const metres = depthValues(stored, { ...size, type: 'uint16', offset: 0 }, depth(0.000_25));
  expect(metres).toEqual(Float32Array.of(0, 0.001, 0.002, 0.01));
});

test('float32 metres are taken bit by bit, where they lie', () => {
  const values = Float32Array.of(Number.NaN, 0, Number.POSITIVE_INFINITY, 1.25);
  const stored = bytesOf(values);
  const metres = depthValues(stored, { ...size, type: 'float32', offset: 0 }, depth(1));
  expect(metres.buffer).toBe(values.buffer);
  expect(metres).toEqual(values);
});

test('float32 behind a picture of any length', () => {
  const values = Float32Array.of(1, 2, -3, 4.5);
  const stored = new Uint8Array(3 + 16);
  stored.set(bytesOf(values), 3);
  const metres = depthValues(stored, { ...size, type: 'float32', offset: 3 }, depth(1));
  expect(metres).toEqual(values);
});

test('disparity: depth is inversely proportional, and what has none is invalid', () => {
  const values = Float32Array.of(0, -1, Number.NaN, 20);
  const metres = depthValues(
    bytesOf(values),
    { ...size, type: 'float32', offset: 0 },
    { values: 'disparity', scale: 60 },
  );
  expect(metres).toEqual(Float32Array.of(0, 0, 0, 3));
});
