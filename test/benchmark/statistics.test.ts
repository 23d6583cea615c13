import { expect, it } from 'vitest';
import { measured, percentile, slope } from '../../src/benchmark/statistics.ts';

const points = (y: (x: number) => number) =>
  Array.from({ length: 60 }, (_, x) => [x, y(x)] as const);

it('the slope of a line is its own', () => {
  expect(slope(points((x) => 3 * x - 7))).toBeCloseTo(3);
});

it('what goes up and down, or leaps for a moment, has no slope', () => {
  expect(slope(points((x) => x % 6))).toBeCloseTo(0, 1);
  expect(slope(points((x) => (x > 55 ? 1000 : 5)))).toBe(0);
});

it('two points at one place, or a single one, have none', () => {
  expect(
    slope([
      [1, 2],
      [1, 9],
    ]),
  ).toBe(0);
  expect(slope([[1, 2]])).toBe(0);
});

it('of an even number of values the median lies between two', () => {
  expect(measured([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, rounds: 4 });
});

it('a percentile is the value that so many are not above', () => {
  const values = [5, 1, 4, 2, 3];
  expect([1, 20, 21, 50, 99, 100].map((p) => percentile(values, p))).toEqual([1, 1, 2, 3, 5, 5]);
  expect(percentile([], 50)).toBeNaN();
});
