import { expect, test } from 'vitest';
import { nominalRate, padRows } from '../../../src/gstreamer/output/output-layout.ts';

test('rows are padded to a multiple of 4 bytes', () => {
  const packed = Buffer.from([1, 2, 3, 4, 5, 6]);
  expect([...padRows(packed, 3, 2)]).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
});

test('rows that need no padding are not copied', () => {
  const packed = Buffer.alloc(24);
  expect(padRows(packed, 12, 2)).toBe(packed);
});

test.each([
  [33_333_333n, '30/1'],
  [33_366_667n, '30000/1001'],
  [16_683_333n, '60000/1001'],
  [33_350_000n, '30/1'],
  [33_000_000n, '30/1'],
  [40_000_000n, '25/1'],
  [133_333_333n, '15/2'],
  [2_000_000_000n, '1/2'],
  [0n, '30/1'],
  [-5n, '30/1'],
  [1n, '30/1'],
])('frames %s ns apart have the rate %s', (interval, rate) => {
  expect(nominalRate(interval)).toBe(rate);
});
