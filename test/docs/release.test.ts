import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';

const root = packageDirectory();
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

it('package.json and package-lock.json have the same version', () => {
  const lock = JSON.parse(read('package-lock.json'));
  expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
});

it('CHANGELOG.md has the version, with its date, and the newest first', () => {
  const headings = [...read('CHANGELOG.md').matchAll(/^## \[(.*?)\](.*)$/gm)];
  const released = headings.filter(([, name]) => name !== 'Unreleased');
  expect(released[0]?.[1]).toBe(version);
  for (const [, , date] of released) expect(date).toMatch(/^ - \d{4}-\d\d-\d\d$/);
  const dates = released.map(([, , date = '']) => date);
  expect(dates).toEqual(dates.toSorted().reverse());
});

it('CHANGELOG.md has no empty section', () => {
  expect(read('CHANGELOG.md')).not.toMatch(/^### .*\n+#/m);
});

it('the documents install the tarball of this version', () => {
  const pages = globSync(['README.md', 'docs/*.md'], { cwd: root });
  const tarballs = pages.flatMap((page) => read(page).match(/depthline-[\d.]+\.tgz/g) ?? []);
  expect(tarballs.length).toBeGreaterThan(0);
  expect(new Set(tarballs)).toEqual(new Set([`depthline-${version}.tgz`]));
});
