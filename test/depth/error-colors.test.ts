import { expect, test } from 'vitest';
import { colorizeError, errorColor } from '../../src/depth/error-colors.ts';

const map = (...data: number[]) => ({
  width: data.length,
  height: 1,
  data: Float32Array.from(data),
});
const black = [0, 0, 0];

test('a perfect pixel has the first colour of the scale, which is not that of an unknown one', () => {
  const out = colorizeError(map(2, 0, 2), map(2, 2, 0), 0.5);
  expect([...out.subarray(0, 3)]).toEqual(errorColor(0));
  expect(errorColor(0)).not.toEqual(black);
  expect(Math.max(...errorColor(0))).toBeGreaterThan(64);
  expect([...out.subarray(3)]).toEqual([...black, ...black]);
});

test('errors rise to the last colour at max, and stay there', () => {
  const out = colorizeError(map(2, 2.5, 3, 90), map(2, 2, 2, 2), 0.5);
  expect([...out]).toEqual([0, 0.5, 1, 1].flatMap((share) => errorColor(share)));
});

test('an estimate of another size is read at the nearest pixel', () => {
  const out = colorizeError(map(1, 2), map(1, 1, 2, 2), 0.5);
  expect([...out]).toEqual(Array(4).fill(errorColor(0)).flat());
});
