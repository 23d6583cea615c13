import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type Existing, FileIndex, type Naming } from '../../src/files/file-index.ts';
import { parseRows } from '../../src/files/index-rows.ts';
import { base, depthFrame } from '../support/frames.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'depthline-index-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const header = 'seq,pts,capturedAt,files,name,unit,view,intrinsics';
const open = (
  existing: Existing = 'append',
  more: { prefix?: string; resumeAfter?: number; names?: Naming } = {},
) => FileIndex.open({ directory, prefix: '', existing, ...more });
const text = (name = 'index.csv') => readFileSync(join(directory, name), 'utf8');
const touch = (name: string) => writeFileSync(join(directory, name), 'theirs');

/** The names that an index gives to frames of these seqs, each listed as written. */
async function stems(index: FileIndex, ...seqs: number[]): Promise<string[]> {
  const given: string[] = [];
  for (const seq of seqs) {
    const frame = depthFrame(2, 2, seq);
    given.push(index.stem(frame));
    await index.add(frame, [`${given.at(-1)}.png`]);
  }
  await index.close();
  return given;
}

describe('names', () => {
  it('are the numbers of the frames', async () => {
    expect(await stems(await open(), 4, 6, 1_234_567)).toEqual(['000004', '000006', '1234567']);
  });

  it('stay as they are while a frame is tried again', async () => {
    const index = await open();
    const frame = depthFrame(2, 2, 5);
    expect([index.stem(frame), index.stem(frame)]).toEqual(['000005', '000005']);
    await index.close();
  });

  it('continue when numbers begin again or come twice', async () => {
    expect(await stems(await open(), 0, 1, 1, 0, 1)).toEqual([
      '000000',
      '000001',
      '000002',
      '000003',
      '000004',
    ]);
  });

  it('continue after an earlier run', async () => {
    await stems(await open(), 0, 1);
    expect(await stems(await open(), 0, 2)).toEqual(['000002', '000004']);
  });

  it.each([['000004.png'], ['000004.PNG'], ['000004.npy.part'], ['000004.json.1a2b3c4d.part']])(
    'continue after %s, which is not in the index',
    async (name) => {
      touch(name);
      expect(await stems(await open(), 0, 5)).toEqual(['000005', '000010']);
    },
  );

  it('continue after those of the other layout', async () => {
    mkdirSync(join(directory, 'depth'));
    touch('depth/000007.png');
    expect(await stems(await open(), 0)).toEqual(['000008']);
  });

  it.each([
    ['1700000000000000000.png'],
    ['00005.png'],
    ['0000005.png'],
    ['x000005.png'],
    ['000005.txt'],
  ])('do not heed %s, which is no frame’s name', async (name) => {
    touch(name);
    expect(await stems(await open(), 0)).toEqual(['000000']);
  });

  it('of another prefix are another list', async () => {
    await stems(await open('append', { prefix: 'a_' }), 0, 1);
    expect(await stems(await open('append', { prefix: 'b_' }), 0)).toEqual(['b_000000']);
    expect(text('b_index.csv')).toMatch(/b_000000\.png,,m,,\n$/);
  });

  it('continue after a number that the caller knows', async () => {
    expect(await stems(await open('fail', { resumeAfter: 9 }), 3)).toEqual(['000010']);
  });
});

describe('the list', () => {
  it('has a line per frame', async () => {
    await stems(await open(), 4);
    const { pts, capturedAt } = base(4);
    expect(text()).toBe(`${header}\n4,${pts},${capturedAt},000004.png,,m,,\n`);
  });

  it('that a full disk left empty gets its header', async () => {
    writeFileSync(join(directory, 'index.csv'), '');
    await stems(await open(), 4);
    expect(text()).toMatch(new RegExp(`^${header}\\n4,.*\\n$`));
  });

  it('keeps its bytes under a second name', async () => {
    await stems(await open(), 0);
    const before = text();
    linkSync(join(directory, 'index.csv'), join(directory, 'backup'));
    await stems(await open(), 0);
    expect(text('backup')).toBe(before);
    expect(text()).toMatch(/000001\.png,,m,,\n$/);
  });

  it('is not a file of other contents', async () => {
    touch('index.csv');
    for (const existing of ['append', 'overwrite', 'fail'] as const)
      await expect(open(existing)).rejects.toThrow(/index\.csv exists .*is not a list of frames/);
    expect(text()).toBe('theirs');
  });

  it('is not a FIFO, and does not wait for one', async () => {
    execFileSync('mkfifo', [join(directory, 'index.csv')]);
    await expect(open()).rejects.toThrow(/not a regular file/);
  });

  it('is open once', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(/another run or sink writes index\.csv there/);
    await first.close();
    await (await open()).close();
  });
});

describe('names of the source', () => {
  /** Lists a frame for each name; gives the file names, `*` where an earlier file is replaced. */
  async function named(existing: Existing, ...names: string[]): Promise<string[]> {
    const index = await open(existing, { names: 'source' });
    const given: string[] = [];
    for (const [seq, name] of names.entries()) {
      const frame = { ...depthFrame(2, 2, seq), name };
      const file = `${index.stem(frame)}.png`;
      given.push(index.replaces(frame, file) ? `${file}*` : file);
      await index.add(frame, [file]);
    }
    await index.close();
    return given;
  }
  const rows = () =>
    parseRows(text()).map(({ seq, files, name }) => [seq, files.join(' '), name ?? '']);

  it('give the stems of the files', async () => {
    expect(await named('append', 'kitchen.jpg', 'sub/hall.tar.png', '.hidden', '..')).toEqual([
      'kitchen.png',
      'hall.tar.png',
      'hidden.png',
      'frame.png',
    ]);
    expect(rows().slice(0, 2)).toEqual([
      [0, 'kitchen.png', 'kitchen.jpg'],
      [1, 'hall.tar.png', 'sub/hall.tar.png'],
    ]);
  });

  it('replace the file and the line of the same name', async () => {
    await named('append', 'a.jpg', 'b.jpg');
    const once = text();
    expect(await named('append', 'a.jpg', 'b.jpg')).toEqual(['a.png*', 'b.png*']);
    expect(text()).toBe(once);
    expect(await named('append', 'c.jpg', 'a.jpg')).toEqual(['c.png', 'a.png*']);
    expect(rows()).toEqual([
      [1, 'b.png', 'b.jpg'],
      [0, 'c.png', 'c.jpg'],
      [1, 'a.png', 'a.jpg'],
    ]);
  });

  it('of one stem stay apart, in every run', async () => {
    const names = ['a/x.jpg', 'a/x.png', 'b/x.jpg'];
    expect(await named('append', ...names)).toEqual(['x.png', 'x-2.png', 'x-3.png']);
    expect(await named('append', 'b/x.jpg')).toEqual(['x-3.png*']);
    expect(await named('append', ...names)).toEqual(['x.png*', 'x-2.png*', 'x-3.png*']);
  });

  it('come back from the list whatever they hold', async () => {
    const names = ['my "best", 100% one.jpg', 'küche\n2,3.png', 'a b.png c.png'];
    await named('append', ...names);
    expect(rows().map(([, file]) => file)).toEqual([
      'my "best", 100% one.png',
      'küche%0A2,3.png',
      'a b.png c.png',
    ]);
    expect(await named('append', ...names)).toEqual(rows().map(([, file]) => `${file}*`));
  });

  it('are kept to what a file name can hold', async () => {
    const [name] = await named('append', `${'ü'.repeat(300)}.jpg`);
    expect(Buffer.byteLength(name as string)).toBeLessThan(220);
  });

  it('do not own files that a list names after others', async () => {
    touch('theirs.png');
    writeFileSync(
      join(directory, 'index.csv'),
      `${header}\n0,0,0,theirs.png,a.jpg,\n1,0,0,../a.png,a.jpg,\n2,0,0,a.png.exe,a.jpg,\n`,
    );
    expect(await named('append', 'a.jpg')).toEqual(['a.png']);
    await named('overwrite', 'b.jpg');
    expect(text('theirs.png')).toBe('theirs');
  });

  it('are removed by overwrite, and refused by fail', async () => {
    await named('append', 'a.jpg');
    touch('a.png');
    await expect(open('fail', { names: 'source' })).rejects.toThrow(/holds frames already/);
    expect(await named('overwrite', 'b.jpg')).toEqual(['b.png']);
    expect(readdirSync(directory)).toEqual(['index.csv']);
  });

  it('continue a list whose run was cut off', async () => {
    await named('append', 'a.jpg');
    writeFileSync(join(directory, 'index.csv'), `${text()}1,2,3,a.png,a.jpg,m,,\n4,5,6,b.p`);
    expect(await named('append', 'b.jpg')).toEqual(['b.png']);
    expect(rows()).toEqual([
      [1, 'a.png', 'a.jpg'],
      [0, 'b.png', 'b.jpg'],
    ]);
  });
});

test('a list without names, of an earlier version, gets the column', async () => {
  writeFileSync(join(directory, 'index.csv'), 'seq,pts,capturedAt,files\n0,0,9,000000.png\n');
  await stems(await open(), 3);
  const { pts, capturedAt } = base(3);
  expect(text()).toBe(`${header}\n0,0,9,000000.png,,,,\n3,${pts},${capturedAt},000003.png,,m,,\n`);
});

test('a list without views, of an earlier version, gets the columns', async () => {
  const old = 'seq,pts,capturedAt,files,name,unit\n0,0,9,a.png,"a, b.jpg",m\n';
  writeFileSync(join(directory, 'index.csv'), old);
  await stems(await open(), 3);
  expect(text().split('\n').slice(0, 2)).toEqual([header, '0,0,9,a.png,"a, b.jpg",m,,']);
});

describe('existing', () => {
  it('fail refuses listed frames, and files that look like frames', async () => {
    touch('000004.png');
    await expect(open('fail')).rejects.toThrow(/holds files with the names of frames; choose/);
    rmSync(join(directory, '000004.png'));
    await stems(await open('fail'), 0);
    await expect(open('fail')).rejects.toThrow(/holds frames already \(index\.csv\)/);
  });

  it('overwrite removes listed files alone, and continues after others', async () => {
    touch('000004.png');
    await stems(await open(), 0);
    touch('000005.png');
    expect(readdirSync(directory).sort()).toEqual(['000004.png', '000005.png', 'index.csv']);
    await stems(await open('overwrite'), 0);
    // 000005.png was listed: the first run wrote it.
    expect(text()).toMatch(/000005\.png,,m,,\n$/);
    expect(text('000004.png')).toBe('theirs');
  });

  it('overwrite removes nothing behind a link, and no folder', async () => {
    mkdirSync(join(directory, 'photos'));
    touch('photos/000000.png');
    symlinkSync('photos', join(directory, 'rgb'));
    mkdirSync(join(directory, '000001.png'));
    writeFileSync(
      join(directory, 'index.csv'),
      `${header}\n0,0,0,rgb/000000.png,,,,\n1,0,0,000001.png,,,,\n2,0,0,../000002.png,,,,\n`,
    );
    await (await open('overwrite')).close();
    expect(text('photos/000000.png')).toBe('theirs');
    expect(readdirSync(directory)).toContain('000001.png');
  });
});
