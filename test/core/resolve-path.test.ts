import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandHome, resolvePath } from '../../src/core/resolve-path.ts';

it.each([
  ['a/b', '/base/a/b'],
  ['/a', '/a'],
  ['~', homedir()],
  ['~/a', join(homedir(), 'a')],
  ['~/~/a', join(homedir(), '~/a')],
  ['./~/a', '/base/~/a'],
  ['~a', '/base/~a'],
  ['a/~/b', '/base/a/~/b'],
])('%s is %s', (path, absolute) => {
  expect(resolvePath('/base', path)).toBe(absolute);
});

it('leaves a glob as it is otherwise', () => {
  expect(expandHome('photos/*.{png,jpg}')).toBe('photos/*.{png,jpg}');
  expect(expandHome('~/photos/**')).toBe(join(homedir(), 'photos/**'));
});
