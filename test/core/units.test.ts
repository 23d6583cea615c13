import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { duration, durationText, parseDuration, positiveDuration } from '../../src/core/units.ts';

describe('a duration in a pipeline file', () => {
  it.each([
    ['100ms', 100],
    ['2s', 2000],
    ['1.5min', 90_000],
    ['10.125s', 10_125],
    ['1h', 3_600_000],
    ['720h', 2_592_000_000],
    ['0s', 0],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(duration().parse(text)).toBe(ms);
  });

  it.each(['', '5', 'ms', '5 s', '-1s', '1.s', '.5s', '5sec', '1h30min', '5S', ' 5s', '5s '])(
    '"%s" is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
      expect(duration().safeParse(text).error?.issues[0]?.message).toBe(
        'is not a duration: write a number and a unit, such as 100ms, 2s, 1.5min or 1h',
      );
    },
  );

  it('a timeout is longer than 0', () => {
    const problem = (text: string) => positiveDuration().safeParse(text).error?.issues;
    expect(problem('0s')).toMatchObject([{ message: 'must be longer than 0' }]);
    expect(problem('0.0ms')).toMatchObject([{ message: 'must be longer than 0' }]);
    expect(problem('x')).toMatchObject([{ message: expect.stringMatching(/^is not a duration/) }]);
    expect(positiveDuration().parse('1ms')).toBe(1);
  });

  it('has a pattern in the schema that accepts the same texts', () => {
    const { pattern } = z.toJSONSchema(duration(), { io: 'input' });
    const schema = new RegExp(pattern as string);
    const texts = [
      '100ms',
      '2s',
      '1.5min',
      '10.125s',
      '720h',
      '',
      '5',
      '-1s',
      '1.s',
      '.5s',
      '5sec',
    ];
    expect(texts.filter((text) => schema.test(text))).toEqual(
      texts.filter((text) => parseDuration(text) !== undefined),
    );
  });

  it('a number is told its units', () => {
    expect(duration().safeParse(5).error?.issues[0]?.message).toBe(
      'needs a unit: 5ms, 5s, 5min or 5h',
    );
  });
});

describe('a duration for people', () => {
  it.each([
    [0, '0 ms'],
    [12.4, '12 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [1999, '2.0 s'],
    [2000, '2 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_199_000, '120 min'],
    [7_200_000, '2 h'],
    [172_799_000, '48 h'],
    [172_800_000, '2 days'],
    [8 * 365 * 86_400_000, '2920 days'],
  ])('%i ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
