import { expect, test } from 'vitest';
import { writeProblem } from '../../src/files/write-problem.ts';

test.each([
  ['ENOSPC', /the disk of \/d is full; free space/],
  ['EDQUOT', /the disk of \/d is full/],
  ['EACCES', /no permission to write in \/d; choose another/],
  ['EPERM', /no permission/],
  ['EROFS', /\/d is on a read-only file system/],
  ['ENOENT', /\/d has vanished/],
  ['ENOTSUP', /\/d cannot be made: its file system takes no new folders; choose another/],
  ['EEXIST', /\/d is not a directory/],
])('%s says what to do', (code, message) => {
  expect(writeProblem('/d', Object.assign(new Error(code), { code }))).toMatch(message);
});

test('a directory that is there has not vanished', () => {
  const error = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  expect(writeProblem('/', error)).toMatch(/^\/ takes no new files/);
});

test('anything else is passed on in its own words', () => {
  expect(writeProblem('/d', new Error('the cat sat on it'))).toBe(
    'cannot write in /d: the cat sat on it',
  );
});
