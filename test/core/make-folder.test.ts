import { readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder, makeFolderSync } from '../../src/core/make-folder.ts';
import { workplace } from '../support/cli.ts';

const ways = { makeFolder, makeFolderSync: async (path: string) => makeFolderSync(path) };

describe.each(Object.entries(ways))('%s', (_, make) => {
  it('makes a folder and those above it, and accepts one that is there', async () => {
    const root = workplace();
    const path = join(root, 'a/b/c');
    await make(path);
    await make(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('accepts a link to a folder', async () => {
    const root = workplace();
    await make(join(root, 'real'));
    symlinkSync('real', join(root, 'link'));
    await make(join(root, 'link'));
    await make(join(root, 'link/inside'));
    expect(readdirSync(join(root, 'real'))).toEqual(['inside']);
  });

  it('is content with a folder that another has made meanwhile', async () => {
    const root = workplace();
    const path = join(root, 'a/b/c/d');
    await Promise.all(Array.from({ length: 20 }, () => make(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('fails where a file or a dangling link is in the way', async () => {
    const root = workplace({ file: '' });
    symlinkSync('nowhere', join(root, 'dangling'));
    for (const name of ['file', 'file/a', 'file/a/b', 'dangling']) {
      await expect(make(join(root, name))).rejects.toMatchObject({ code: 'EEXIST' });
    }
  });

  it.skipIf(process.platform !== 'linux')('fails where no folder can be made', async () => {
    for (const path of ['/proc/x', '/proc/x/y', '/proc/self/fd/x', '/proc/1/task/x/y/z']) {
      await expect(make(path)).rejects.toMatchObject({
        code: 'ENOTSUP',
        message: expect.stringMatching(/^the file system of \/proc.* takes no new folders$/),
      });
    }
  });
});
