import { expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { colorizeDepth } from '../../src/depth/colormap.ts';
import { colorize } from '../../src/operators/colorize.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame } from '../support/frames.ts';

const slope = (seq: number, gain = 1) => depthFrame(101, 1, seq, (x) => gain * (1 + x / 100));

test('a fixed range', async () => {
  const options = { colormap: 'viridis', min: 1, max: 2 } as const;
  const frame = slope(0);
  const [out] = (await runOperator(colorize, options, [frame])) as ImageFrame[];
  expect(out).toMatchObject({ kind: 'image', format: 'rgb', width: 101, height: 1 });
  expect(out?.data).toEqual(colorizeDepth(frame, options));
});

test('percentiles of the frame', async () => {
  const frame = slope(0);
  const [out] = (await runOperator(colorize, { percentiles: [10, 90] }, [frame])) as ImageFrame[];
  const wanted = colorizeDepth(frame, { colormap: 'magma', min: 1.1, max: 1.9 });
  const off = out?.data.filter((value, i) => Math.abs(value - (wanted[i] as number)) > 12);
  expect(off).toHaveLength(0);
});

test('the range is averaged, so that a single outlier frame hardly changes the colours', async () => {
  const frames = [slope(0), slope(1, 1.5), slope(2)];
  const [first, , last] = (await runOperator(
    colorize,
    { colormap: 'grey' },
    frames,
  )) as ImageFrame[];
  const before = first?.data as Uint8Array;
  const change = Array.from(last?.data as Uint8Array, (v, i) => Math.abs(v - before[i]!));
  expect(Math.max(...change)).toBeGreaterThan(0);
  expect(change.reduce((a, b) => a + b) / change.length).toBeLessThan(20);
});

test('one end fixed, the other from percentiles', async () => {
  const frame = slope(0);
  const [out] = (await runOperator(colorize, { min: 1, percentiles: [0, 100] }, [
    frame,
  ])) as ImageFrame[];
  expect(out?.data).toEqual(colorizeDepth(frame, { colormap: 'magma', min: 1, max: 2 }));
});

test('a frame without a valid pixel has one colour and does not affect the next one', async () => {
  const frames = [depthFrame(101, 1, 0, () => Number.NaN), slope(1)];
  const [dark, next] = (await runOperator(colorize, {}, frames)) as ImageFrame[];
  expect(dark?.data.every((value) => value === 112)).toBe(true);
  const [alone] = (await runOperator(colorize, {}, [slope(1)])) as ImageFrame[];
  expect(next?.data).toEqual(alone?.data);
});

test('a flat frame does not divide by zero', async () => {
  const [out] = (await runOperator(colorize, {}, [depthFrame(4, 4)])) as ImageFrame[];
  expect(new Set(out?.data).size).toBeLessThanOrEqual(3);
});

test('refuses a min that is not below max', () => {
  const problem = (options: object) =>
    colorize.options.safeParse(options).error?.issues[0]?.message;
  expect(problem({ min: 4, max: 2 })).toBe('min (4) must be less than max (2)');
  expect(problem({ percentiles: [90, 10] })).toBe('min (90) must be less than max (10)');
});
