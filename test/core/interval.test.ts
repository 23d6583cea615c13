import { expect, test } from 'vitest';
import { z } from 'zod';
import { builtins } from '../../src/builtins.ts';
import { interval, minBelowMax } from '../../src/core/interval.ts';
import { valueProblems } from '../../src/core/option-problems.ts';

const end = z.number().optional();
const options = minBelowMax(z.strictObject({ min: end, max: end }));

test('min must be less than max where both are given', () => {
  for (const fits of [{}, { min: 3 }, { max: 3 }, { min: 2, max: 3 }]) options.parse(fits);
  for (const [min, max] of [
    [3, 2],
    [3, 3],
  ]) {
    const message = `min (${min}) must be less than max (${max})`;
    expect(valueProblems(options, { min, max })).toEqual([{ path: [], message }]);
    expect(valueProblems(interval(z.number()), [min, max])).toEqual([{ path: [], message }]);
  }
});

test('a wrong type is one problem, not two', () => {
  expect(valueProblems(options, { min: 'wide', max: 1 })).toHaveLength(1);
  expect(valueProblems(interval(z.number()), ['wide', 1])).toHaveLength(1);
});

const ranged = builtins
  .list()
  .filter(({ options }) => options instanceof z.ZodObject && 'min' in options.shape);

test('there are components to look at', () => {
  expect(ranged.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['clamp', 'colorize', 'compare-depth', 'side-by-side', 'video']),
  );
});

test.each(ranged)('$name says it in the same words', ({ options, examples }) => {
  const given = { ...(examples[0] as object), min: 3, max: 2 };
  expect(valueProblems(options, given)).toEqual([
    { path: [], message: 'min (3) must be less than max (2)' },
  ]);
});
