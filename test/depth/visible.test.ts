import { expect, test } from 'vitest';
import { dropContradicted, dropHidden, mirrorRows } from '../../src/depth/visible.ts';

test('a point beside the right picture is invalid, one at its edge is not', () => {
  const row = Float32Array.of(1, 1, 1, 5);
  dropHidden(row, 4, 1);
  expect([...row]).toEqual([0, 1, 1, 0]);
});

test('what a nearer surface hides is invalid: left of it, as wide as the step of disparity', () => {
  // A wall at disparity 2, and before it, from column 8 on, a box at disparity 5.
  const row = Float32Array.from({ length: 16 }, (_, x) => (x >= 8 && x < 12 ? 5 : 2));
  dropHidden(row, 16, 1);
  const visible = [...row].map((value) => (value > 0 ? 1 : 0));
  expect(visible).toEqual([0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
});

test('a slanted surface that is foreshortened stays visible', () => {
  const row = Float32Array.from({ length: 16 }, (_, x) => 1 + x / 4);
  dropHidden(row, 16, 1);
  expect([...row.slice(2)].every((value) => value > 0)).toBe(true);
});

test('rows do not hide each other, and what is invalid stays so', () => {
  const two = Float32Array.of(0, Number.NaN, 1, 1, 3, 3, 3, 3);
  dropHidden(two, 4, 2);
  expect([...two]).toEqual([0, 0, 1, 1, 0, 0, 0, 3]);
});

test('a disparity stands that the right eye leads back from', () => {
  const left = Float32Array.of(2, 2, 2, 2, 2, 2);
  // Disparity of the right picture by column, 2 but for column 1; mirrored.
  const mirrored = Float32Array.of(2, 2, 2, 2, 4, 2);
  dropContradicted(left, mirrored, 6, 1);
  expect([...left]).toEqual([0, 0, 2, 0, 2, 2]);
});

test('rows are mirrored pixel by pixel', () => {
  const out = new Uint8Array(12);
  mirrorRows(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), out, 2, 2);
  expect([...out]).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
});
