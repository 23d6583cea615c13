import { expect, it } from 'vitest';
import { subjectsMeet } from '../../src/nats/subjects-meet.ts';

it.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a.c', false],
  ['a.*', 'a.c', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['>', 'a', true],
  ['a.*.front', 'a.b.*', true],
  ['b.*', 'a.*', false],
])('%s and %s: %s', (one, other, meet) => {
  expect(subjectsMeet(one, other)).toBe(meet);
  expect(subjectsMeet(other, one)).toBe(meet);
});
