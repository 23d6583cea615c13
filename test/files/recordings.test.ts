import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findRecordings,
  publishRecording,
  recordingPath,
  requireReplaceable,
  unfinishedPath,
} from '../../src/files/recordings.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const make = (...names: string[]) => {
  for (const name of names) writeFileSync(at(name), name);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('names recordings by number', () => {
  expect([1, 2, 10].map((n) => recordingPath('/a/b.c.mkv', n))).toEqual([
    '/a/b.c.mkv',
    '/a/b.c-2.mkv',
    '/a/b.c-10.mkv',
  ]);
  expect(unfinishedPath('/a/b.mp4', 1)).toBe('/a/b.recording.mp4');
  expect(unfinishedPath('/a/b.mp4', 3)).toBe('/a/b-3.recording.mp4');
});

describe('the recordings of a path', () => {
  it.each([
    [[], 0, undefined],
    [['a.mkv'], 1, undefined],
    [['a.MKV'], 1, undefined],
    [['a.mp4'], 1, undefined],
    [['a.recording.mkv'], 1, 'a.recording.mkv'],
    [['a.mkv', 'a-2.recording.mkv'], 2, 'a-2.recording.mkv'],
    [['a.recording.mkv', 'a-2.mkv'], 2, undefined],
    [['a-9.mkv', 'a-10.mkv'], 10, undefined],
    [
      ['ab.mkv', 'a-b.mkv', 'a-02.mkv', 'a-20260101.mkv', 'a.mkv.part', 'a.avi', 'b-7.mkv'],
      0,
      undefined,
    ],
  ])('%j', async (names, last, cutOff) => {
    make(...names);
    expect(await findRecordings(at('a.mkv'))).toEqual({ last, cutOff: cutOff && at(cutOff) });
  });

  it('makes their folder', async () => {
    await findRecordings(at('new/deep/a.mkv'));
    expect(existsSync(at('new/deep'))).toBe(true);
  });
});

describe('publishing', () => {
  const publish = (replace = false) =>
    publishRecording({
      unfinished: at('a.recording.mkv'),
      path: at('a.mkv'),
      base: at('a.mkv'),
      replace,
    });

  it('gives the name', async () => {
    make('a.recording.mkv');
    expect(await publish()).toBe(at('a.mkv'));
    expect(readdirSync(folder)).toEqual(['a.mkv']);
  });

  it('gives the next number that is free where the name is taken', async () => {
    make('a.recording.mkv', 'a.mkv', 'a-2.mkv');
    expect(await publish()).toBe(at('a-3.mkv'));
    expect(readFileSync(at('a.mkv'), 'utf8')).toBe('a.mkv');
  });

  it('replaces a file, but no link', async () => {
    make('a.recording.mkv', 'a.mkv');
    expect(await publish(true)).toBe(at('a.mkv'));
    expect(readFileSync(at('a.mkv'), 'utf8')).toBe('a.recording.mkv');
    rmSync(at('a.mkv'));
    make('a.recording.mkv', 'film');
    symlinkSync('film', at('a.mkv'));
    expect(await publish(true)).toBe(at('a-2.mkv'));
    await expect(requireReplaceable(at('a.mkv'))).rejects.toThrow(/not a regular file/);
    await requireReplaceable(at('missing.mkv'));
  });
});
