import { expect, test } from 'vitest';
import { z } from 'zod';
import { aspect } from '../../src/core/aspect.ts';

test.each([
  ['4:3', 4 / 3],
  ['16:9', 16 / 9],
  ['2.35:1', 2.35],
  [1.5, 1.5],
])('%s', (given, value) => {
  expect(aspect().parse(given)).toBeCloseTo(value, 12);
});

test.each(['4/3', '4:0', '0:3', '-4:3', '', 'wide', 0, -1, 1e9, true])('%s is refused', (given) => {
  const { error } = z.strictObject({ view: aspect() }).safeParse({ view: given });
  expect(error?.issues).toHaveLength(1);
  expect(error?.issues[0]).toMatchObject({
    path: ['view'],
    message: expect.stringContaining('such as "4:3"'),
  });
});

test('has a JSON Schema of what may be written', () => {
  expect(z.toJSONSchema(aspect(), { io: 'input' })).toMatchObject({
    anyOf: [{ type: 'string', pattern: expect.any(String) }, { type: 'number' }],
  });
});
