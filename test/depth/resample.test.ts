import { expect, test } from 'vitest';
import { resampleDepth } from '../../src/depth/resample.ts';

const map = (width: number, height: number, ...values: number[]) => ({
  width,
  height,
  data: Float32Array.from(values),
});

test('the same size is the same map', () => {
  const same = map(2, 1, 1, 2);
  expect(resampleDepth(same, { width: 2, height: 1 })).toBe(same);
});

test('valid neighbours are interpolated between pixel centres', () => {
  const out = resampleDepth(map(2, 1, 1, 3), { width: 4, height: 1 });
  expect([...out.data]).toEqual([1, 1.5, 2.5, 3]);
});

test('beside an invalid pixel the nearest one counts', () => {
  const out = resampleDepth(map(2, 1, 0, 3), { width: 4, height: 1 });
  expect([...out.data]).toEqual([0, 0, 3, 3]);
});

test('both directions', () => {
  const out = resampleDepth(map(2, 2, 1, 2, 3, 4), { width: 1, height: 1 });
  expect([...out.data]).toEqual([2.5]);
});
