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

describe('of a value that may have several forms', () => {
  const name = z.string().min(2, { error: 'is too short' });
  const forms = z.strictObject({
    from: z
      .union([
        z.enum(['first', 'new']),
        z.strictObject({ time: z.iso.datetime() }),
        z.array(name).min(2),
      ])
      .describe('where it begins'),
  });
  const found = (from: unknown) =>
    valueProblems(forms, { from }).map(({ path, message }) => `${path.join('.')} ${message}`);

  it.each([
    [{ time: 'noon' }, 'from.time "noon" is not a time: write it like 2026-01-31T08:00:00Z'],
    [['left'], 'from must have at least 2 items'],
    [['left', 'r'], 'from.1 is too short'],
    ['frist', 'from "frist" is not valid: where it begins'],
    [5, 'from 5 is not valid: where it begins'],
  ])('%j: what is wrong with the form that it has', (from, message) => {
    expect(found(from)).toEqual([message]);
  });
});
