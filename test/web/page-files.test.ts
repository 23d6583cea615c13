import { mkdirSync, writeFileSync } from 'node:fs';
import type * as promises from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { pageFiles } from '../../src/web/page-files.ts';
import { workplace } from '../support/cli.ts';

/** As before Node.js 20.12, where an entry of a folder does not say which folder that is. */
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof promises>();
  const readdir = async (...asked: Parameters<typeof actual.readdir>) => {
    const found: unknown[] = await actual.readdir(...asked);
    for (const one of found)
      if (typeof one === 'object' && one !== null) Reflect.deleteProperty(one, 'parentPath');
    return found;
  };
  return { ...actual, readdir };
});

it('finds the files of the page in all of its folders, and nothing else', async () => {
  const folder = workplace({ 'index.html': '<p>' });
  mkdirSync(join(folder, 'assets/deep'), { recursive: true });
  writeFileSync(join(folder, 'assets/a.js'), '1');
  writeFileSync(join(folder, 'assets/notes.txt'), '');
  writeFileSync(join(folder, 'assets/deep/b.css'), 'p {}');
  const files = await pageFiles(folder);
  expect([...files.keys()].toSorted()).toEqual(['/', '/assets/a.js', '/assets/deep/b.css']);
  expect(files.get('/assets/a.js')?.body.toString()).toBe('1');
  expect(files.get('/')?.headers['Content-Type']).toBe('text/html; charset=utf-8');
  await expect(pageFiles(workplace())).rejects.toThrow('the page is not built');
});
