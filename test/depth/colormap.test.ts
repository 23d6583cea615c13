import { expect, test } from 'vitest';
import { colorizeDepth, colormap, colormaps, invalidColor } from '../../src/depth/colormap.ts';

const rgb = (table: Uint8Array, i: number) => [...table.subarray(i * 3, i * 3 + 3)];

test.each(colormaps)('%s has 256 colours, made once', (name) => {
  const table = colormap(name);
  expect(table).toHaveLength(768);
  expect(colormap(name)).toBe(table);
});

test('known colours', () => {
  expect(rgb(colormap('viridis'), 0)).toEqual([68, 1, 84]);
  expect(rgb(colormap('viridis'), 255)).toEqual([253, 231, 37]);
  expect(rgb(colormap('inferno'), 0)).toEqual([0, 0, 4]);
});

test('grey goes from dark to bright without a jump', () => {
  const table = colormap('grey');
  for (let i = 1; i < 256; i++) {
    const step = (table[i * 3] as number) - (table[i * 3 - 3] as number);
    expect(step).toBeGreaterThanOrEqual(0);
    expect(step).toBeLessThanOrEqual(2);
  }
});

test('near is the last colour, far the first, beyond them the same, invalid grey', () => {
  const data = Float32Array.of(1, 5, 0.5, 99, 0, Number.NaN, 3);
  const out = colorizeDepth({ width: 7, height: 1, data }, { colormap: 'magma', min: 1, max: 5 });
  const table = colormap('magma');
  const wanted = [255, 0, 255, 0].flatMap((i) => rgb(table, i));
  expect([...out]).toEqual([...wanted, 112, 112, 112, 112, 112, 112, ...rgb(table, 128)]);
});

test('writes into the array it is given', () => {
  const out = new Uint8Array(3);
  const map = { width: 1, height: 1, data: Float32Array.of(2) };
  expect(colorizeDepth(map, { colormap: 'grey', min: 1, max: 3 }, out)).toBe(out);
});

test.each(colormaps)('%s: no depth looks like an invalid pixel', (name) => {
  const [r, g, b] = invalidColor(name);
  for (let i = 0; i < 256; i++) {
    const [red, green, blue] = rgb(colormap(name), i) as [number, number, number];
    expect(Math.hypot(red - r, green - g, blue - b)).toBeGreaterThan(40);
  }
});
