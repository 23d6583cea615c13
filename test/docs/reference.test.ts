import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { start } from '../support/cli.ts';

const root = packageDirectory();
const read = (path: string) => readFileSync(join(root, path), 'utf8');

it('docs/reference.md is up to date', async () => {
  const { stdout } = await start(['describe', '--all', '--markdown'], { cwd: root }).finished;
  expect(read('docs/reference.md')).toBe(stdout);
});

describe('the table of components in README.md', () => {
  const table =
    /\| sources \| operators \| sinks \|\n(.*?)\n\n/s.exec(read('README.md'))?.[1] ?? '';
  const rows = table.split('\n').map((row) => row.split('|').slice(1, -1));

  it.each([
    ['source', 0],
    ['operator', 1],
    ['sink', 2],
  ] as const)('names every %s', (role, column) => {
    const names = rows.flatMap((cells) =>
      [...(cells[column] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
    );
    expect(names.toSorted()).toEqual(builtins.names(role).toSorted());
  });
});

it('docs/pipelines.md names every pipeline of the package', () => {
  const table = read('docs/pipelines.md').split('## Named pipelines')[1] ?? '';
  const named = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
  );
  const files = readdirSync(join(root, 'pipelines')).map((file) => file.replace(/\.yaml$/, ''));
  expect(named.toSorted()).toEqual(files.toSorted());
});

it('docs/back-pressure.md gives reasons that the code gives', () => {
  const table =
    /\| reason \| meaning \|\n(.*?)\n\n/s.exec(read('docs/back-pressure.md'))?.[1] ?? '';
  const reasons = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z ]+)`/g)].map(([, reason = '']) => reason),
  );
  const code = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(join('src', file)))
    .join('\n');
  expect(reasons.length).toBeGreaterThan(8);
  expect(reasons.filter((reason) => !code.includes(`'${reason}'`))).toEqual([]);
});
