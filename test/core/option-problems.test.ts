import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { valueProblems } from '../../src/core/option-problems.ts';

const schema = z.strictObject({ frames: z.int().min(1).max(100) });
const messages = (frames: unknown) =>
  valueProblems(schema, { frames }).map(({ path, message }) => `${path.join('.')} ${message}`);

describe('one mistake is one message', () => {
  it.each([
    [2 ** 60, 'must be at most 100'],
    [-(2 ** 60), 'must be at least 1'],
    [101, 'must be at most 100'],
    [1.5, 'must be a whole number, not 1.5'],
    [Infinity, 'must be a number, not Infinity'],
    [Number.NaN, 'must be a number, not NaN'],
    [null, 'must be a number, not null'],
  ])('%s', (frames, message) => {
    expect(messages(frames)).toEqual([`frames ${message}`]);
  });
});
