import {
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  NameTaken,
  openRegular,
  publish,
  reserveAndRename,
  writeNew,
  writeOwn,
} from '../../src/files/own-file.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a new file', () => {
  it('holds what was written, and leaves no temporary file', async () => {
    await writeNew(at('a'), 'text');
    expect(text('a')).toBe('text');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('replaces nothing, and says what to do', async () => {
    writeFileSync(at('a'), 'theirs');
    await expect(writeNew(at('a'), 'ours')).rejects.toThrow(
      /a exists and is not replaced; move it away, or choose another path/,
    );
    expect(text('a')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('takes another temporary name where its own is taken', async () => {
    writeFileSync(at('a.part'), 'theirs');
    await writeNew(at('a'), 'ours');
    expect([text('a'), text('a.part')]).toEqual(['ours', 'theirs']);
    expect(readdirSync(folder).sort()).toEqual(['a', 'a.part']);
  });

  it('of two that are written at the same time one is refused', async () => {
    const results = await Promise.allSettled([writeNew(at('a'), 'one'), writeNew(at('a'), 'two')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe.each([
  ['by a link', publish],
  ['by renaming, where there are no links', reserveAndRename],
])('publishing %s', (_, give) => {
  it('gives a file its name, and takes the old one away', async () => {
    writeFileSync(at('a.part'), 'text');
    await give(at('a.part'), at('a'));
    expect(text('a')).toBe('text');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('replaces nothing', async () => {
    writeFileSync(at('a.part'), 'ours');
    symlinkSync('nowhere', at('a'));
    await expect(give(at('a.part'), at('a'))).rejects.toThrow(NameTaken);
    expect(readdirSync(folder).sort()).toEqual(['a', 'a.part']);
  });

  it('leaves no name behind when the file is gone', async () => {
    await expect(give(at('gone'), at('a'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a file of an earlier run', () => {
  it('is replaced when it holds the mark', async () => {
    await writeOwn(at('a'), 'mark 1', 'mark');
    await writeOwn(at('a'), 'mark 2', 'mark');
    expect(text('a')).toBe('mark 2');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('is not replaced when it does not', async () => {
    writeFileSync(at('a'), 'theirs');
    await expect(writeOwn(at('a'), 'mark', 'mark')).rejects.toThrow(NameTaken);
    expect(text('a')).toBe('theirs');
  });

  it('keeps its bytes under another name that it has', async () => {
    await writeOwn(at('a'), 'mark 1', 'mark');
    linkSync(at('a'), at('backup'));
    await writeOwn(at('a'), 'mark 2', 'mark');
    expect([text('a'), text('backup')]).toEqual(['mark 2', 'mark 1']);
  });
});

it('opens regular files only', async () => {
  expect(await openRegular(at('none'), 'read')).toBeUndefined();
  await expect(openRegular('/dev/zero', 'read')).rejects.toThrow(/not a regular file; remove it/);
  await expect(openRegular(folder, 'append')).rejects.toThrow(NameTaken);
  await writeNew(at('a'), '');
  const handle = await openRegular(at('a'), 'append');
  await handle?.close();
  expect(statSync(at('a')).size).toBe(0);
});
