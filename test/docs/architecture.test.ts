import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';

const root = packageDirectory();

/** The folders that docs/ARCHITECTURE.md names, and those that each may import, where it lists them. */
function claims(): Map<string, string[] | undefined> {
  const page = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8');
  const rows = page.matchAll(/^\| ((?:`[a-z0-9]+\/`(?:, )?)+) \|.*\| ([^|]+) \|$/gm);
  const folders = new Map<string, string[] | undefined>();
  for (const [, names = '', imports = ''] of rows) {
    const listed = [...imports.matchAll(/`([a-z0-9]+)`/g)].map(([, name = '']) => name);
    const claimed = listed.length > 0 || imports.trim() === 'nothing' ? listed : undefined;
    for (const [, name = ''] of names.matchAll(/`([a-z0-9]+)\/`/g)) folders.set(name, claimed);
  }
  return folders;
}

/** The folders of src/ that the files of one of them import. */
function imports(folder: string): string[] {
  const files = readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' });
  const names = files
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(join(root, 'src', folder, name), 'utf8');
      const up = '../'.repeat(name.split('/').length).replaceAll('.', '\\.');
      return [...text.matchAll(new RegExp(`'${up}([a-z0-9]+)/`, 'g'))].map(
        ([, other = '']) => other,
      );
    });
  return [...new Set(names)].filter((name) => name !== folder).toSorted();
}

it('docs/ARCHITECTURE.md names every folder of src/, and what it imports', () => {
  const claimed = claims();
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect([...claimed.keys()]).toEqual(expect.arrayContaining(folders));
  const unclaimed = [...claimed]
    .filter(([folder, listed]) => listed && folders.includes(folder))
    .flatMap(([folder, listed]) =>
      imports(folder)
        .filter((other) => !listed?.includes(other))
        .map((other) => `${folder} imports ${other}`),
    );
  expect(unclaimed).toEqual([]);
});
