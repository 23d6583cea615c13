import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/inference/manifest.ts';
import { dropAlpha, isPlainInput, prepareInput, toMetres } from '../../src/inference/tensors.ts';

const input = (over: Partial<Manifest['input']> = {}): Manifest['input'] => ({
  name: 'x',
  layout: 'NHWC',
  dtype: 'uint8',
  width: 2,
  height: 1,
  channels: 'RGB',
  view: 'any',
  ...over,
});

const rgb = Uint8Array.of(0, 51, 255, 10, 20, 30);

describe('prepareInput', () => {
  const bytes = (over: Partial<Manifest['input']>) => {
    const out = new Uint8Array(6);
    prepareInput(rgb, input(over), out);
    return [...out];
  };
  const floats = (over: Partial<Manifest['input']>) => {
    const out = new Float32Array(6);
    prepareInput(rgb, input({ dtype: 'float32', ...over }), out);
    return [...out];
  };

  it('needs nothing for uint8 NHWC RGB', () => {
    expect(isPlainInput(input())).toBe(true);
    expect(isPlainInput(input({ channels: 'BGR' }))).toBe(false);
    expect(isPlainInput(input({ layout: 'NCHW' }))).toBe(false);
    expect(isPlainInput(input({ dtype: 'float32' }))).toBe(false);
  });

  it('orders bytes', () => {
    expect(bytes({ channels: 'BGR' })).toEqual([255, 51, 0, 30, 20, 10]);
    expect(bytes({ layout: 'NCHW' })).toEqual([0, 10, 51, 20, 255, 30]);
    expect(bytes({ layout: 'NCHW', channels: 'BGR' })).toEqual([255, 30, 51, 20, 0, 10]);
  });

  it('scales to 0…1 unless told otherwise', () => {
    expect(floats({}).slice(0, 3)).toEqual([0, Math.fround(0.2), 1]);
    expect(floats({ range: [-1, 1] }).slice(0, 3)).toEqual([-1, Math.fround(-0.6), 1]);
  });

  it('subtracts the mean and divides by the deviation of the model’s channels', () => {
    const planar = floats({
      layout: 'NCHW',
      channels: 'BGR',
      mean: [0.5, 0.2, 0.1],
      std: [0.5, 1, 0.1],
    });
    const wanted = [1, (30 / 255 - 0.5) / 0.5, 0, 20 / 255 - 0.2, -1, (10 / 255 - 0.1) / 0.1];
    planar.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i] as number, 6);
    });
  });
});

it('dropAlpha keeps the colours', () => {
  const rgb = new Uint8Array(6);
  // Shared memory has room for more.
  dropAlpha(Uint8Array.of(1, 2, 3, 99, 4, 5, 6, 98, 7, 7, 7, 7), rgb);
  expect([...rgb]).toEqual([1, 2, 3, 4, 5, 6]);
});

describe('toMetres', () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const metres = (values: number[], output: Partial<Manifest['output']>) => {
    const data = Float32Array.from(values);
    toMetres(data, { name: 'y', meaning: 'metres', ...output });
    return [...data];
  };

  it('leaves metres as they are, bit for bit', () => {
    const values = [1e-3, 0.1, 2.5, 80].map(Math.fround);
    expect(metres(values, {})).toEqual(values);
  });

  it.each(['metres', 'log', 'disparity', 'inverse-relative'] as const)(
    'gives invalid for what is no number: %s',
    (meaning) => {
      const scale = meaning === 'disparity' ? { scale: 1 } : {};
      const [a, b, c] = metres([nan, 1, 2, -1], { meaning, ...scale });
      expect(a).toBe(0);
      expect([b, c].every((value) => (value as number) > 0)).toBe(true);
    },
  );

  it('gives invalid for 0, below, infinite, and outside the range', () => {
    expect(metres([0, -0, -1, inf, -inf], {})).toEqual([0, 0, 0, 0, 0]);
    expect(metres([0.5, 1, 10, 11], { range: [1, 10] })).toEqual([0, 1, 10, 0]);
  });

  it('takes the exponential of log', () => {
    expect(metres([0, 1, 200], { meaning: 'log' })).toEqual([1, Math.fround(Math.E), 0]);
  });

  it('divides by disparity', () => {
    expect(metres([1, 3, -1, -2], { meaning: 'disparity', scale: 8, shift: 1 })).toEqual([
      4, 2, 0, 0,
    ]);
  });

  it('inverts a calibrated inverse', () => {
    expect(metres([0, 1.5, -1], { meaning: 'inverse-relative', scale: 0.5, shift: 0.25 })).toEqual([
      4, 1, 0,
    ]);
  });

  it('stretches an uncalibrated inverse over the frame, nearest 1 and farthest 10', () => {
    const values = metres([100, 20, 60, inf], { meaning: 'inverse-relative' });
    expect(values[0]).toBeCloseTo(1, 5);
    expect(values[1]).toBeCloseTo(10, 5);
    expect(values[2]).toBeCloseTo(1 / 0.55, 5);
    expect(values[3]).toBe(0);
    expect(metres([7, 7], { meaning: 'inverse-relative' })).toEqual([10, 10]);
  });
});
