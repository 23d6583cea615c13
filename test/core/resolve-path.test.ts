import { execFileSync } from 'node:child_process';
import { homedir, userInfo } from 'node:os';
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
  ['~no-such-user', '/base/~no-such-user'],
  ['~no-such-user/a', '/base/~no-such-user/a'],
  [`./~${userInfo().username}/a`, `/base/~${userInfo().username}/a`],
  ['a/~/b', '/base/a/~/b'],
])('%s is %s', (path, absolute) => {
  expect(resolvePath('/base', path)).toBe(absolute);
});

it.each(['root', userInfo().username])('~%s is the home directory of that user', (user) => {
  const home = execFileSync('/bin/sh', ['-c', `echo ~${user}`], { encoding: 'utf8' }).trim();
  expect(resolvePath('/base', `~${user}`)).toBe(home);
  expect(resolvePath('/base', `~${user}/a b/c`)).toBe(join(home, 'a b/c'));
  expect(expandHome(`~${user}/photos/**`)).toBe(join(home, 'photos/**'));
});

it('leaves a glob as it is otherwise', () => {
  expect(expandHome('photos/*.{png,jpg}')).toBe('photos/*.{png,jpg}');
  expect(expandHome('~/photos/**')).toBe(join(homedir(), 'photos/**'));
});
