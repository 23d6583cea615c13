import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openSaver } from '../../src/cli/save-frames.ts';
import { writeReport } from '../../src/evaluation/report.ts';
import { depthline, workplace } from '../support/cli.ts';
import { putModel } from '../support/models.ts';
import { writePicture } from '../support/pictures.ts';

const file = (parts: object) => stringify({ source: 'test-pattern', sinks: ['discard'], ...parts });
const source = { 'test-pattern': { width: 64, height: 48, frames: 2 } };

/** Commands that open a path of the user, and the path. */
const opens: Record<string, { fifo: string; files?: Record<string, string>; args: string[] }> = {
  'a pipeline': { fifo: 'p.yaml', args: ['run', 'p.yaml'] },
  'a pipeline that is checked': { fifo: 'p.yaml', args: ['check', 'p.yaml'] },
  'a module': {
    fifo: 'mine.mjs',
    files: { 'p.yaml': file({ use: './mine.mjs' }) },
    args: ['run', 'p.yaml'],
  },
  'a module of --use': { fifo: 'mine.mjs', args: ['list', '--use', 'mine.mjs'] },
  'a manifest': {
    fifo: 'm.yaml',
    files: { 'p.yaml': file({ source, operators: [{ 'estimate-depth': { model: './m.yaml' } }] }) },
    args: ['run', 'p.yaml'],
  },
  'a video': {
    fifo: 'a.mkv',
    files: { 'p.yaml': file({ source: { 'video-file': { path: 'a.mkv' } } }) },
    args: ['run', 'p.yaml'],
  },
  'a picture': {
    fifo: 'a.png',
    files: { 'p.yaml': file({ source: { images: { path: 'a.png' } } }) },
    args: ['run', 'p.yaml', '--stats', 'none'],
  },
  'a folder of pictures': {
    fifo: 'pictures/a.png',
    files: { 'p.yaml': file({ source: { images: { path: 'pictures' } } }) },
    args: ['run', 'p.yaml', '--stats', 'none'],
  },
  'an index of frames': {
    fifo: 'index.csv',
    files: {
      'a.png': '',
      'p.yaml': file({ source: { images: { path: '.', times: 'index' } } }),
    },
    args: ['run', 'p.yaml'],
  },
  'a NumPy file': {
    fifo: 'out/a.npy',
    files: { 'p.yaml': file({ source: { images: { path: 'out', as: 'depth' } } }) },
    args: ['run', 'p.yaml', '--stats', 'none'],
  },
  'layers.json': { fifo: 'layers/layers.json', args: ['bench-layers', 'layers'] },
};

describe.concurrent('a FIFO in place of', () => {
  it.each(Object.entries(opens))('%s ends in one message', async (_, { fifo, files, args }) => {
    const cwd = workplace(files);
    mkdirSync(dirname(join(cwd, fifo)), { recursive: true });
    execFileSync('mkfifo', [join(cwd, fifo)]);
    const { code, stdout, stderr } = await depthline(args, { cwd });
    expect([1, 2]).toContain(code);
    expect(stdout + stderr).toMatch(/not a regular file|is not a file/);
    expect((stdout + stderr).trim().split('\n')).toHaveLength(1);
  });

  it('a model’s file ends in one message', async () => {
    const cwd = workplace();
    putModel(cwd, 'metres', { file: 'fifo.onnx' });
    execFileSync('mkfifo', [join(cwd, 'fifo.onnx')]);
    const operators = [{ 'estimate-depth': { model: './metres.yaml' } }];
    writeFileSync(join(cwd, 'p.yaml'), file({ source, operators }));
    const { code, stderr } = await depthline(['run', 'p.yaml', '--stats', 'none'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/p\.yaml:\d+:\d+: .*fifo\.onnx is a FIFO, not a regular file/);
  });
});

it('`use: /dev/zero` is refused, not read', async () => {
  const cwd = workplace({ 'p.yaml': file({ use: '/dev/zero' }) });
  const { code, stderr } = await depthline(['run', 'p.yaml'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toBe(
    'p.yaml:4:6: use: /dev/zero could not be loaded: /dev/zero is a device, not a regular file; give the path of a file\n',
  );
});

/** A file system that answers ENOENT to every new name; Node.js tries without end there. */
describe.skipIf(process.platform !== 'linux').concurrent('a place in /proc', () => {
  const takes = /^.*\/proc.* takes no new (folders|files).*\n$/;
  const fails: Record<string, { sinks: unknown[] }> = {
    'of file': { sinks: [{ file: { directory: '/proc/x', format: 'png' } }] },
    'of file, deeper': { sinks: [{ file: { directory: '/proc/x/y/z', format: 'png' } }] },
    'of file, with time fields': { sinks: [{ file: { directory: '/proc/x/%Y', format: 'png' } }] },
    'of video': { sinks: [{ video: { path: '/proc/x/a.mkv' } }] },
    'of mcap': { sinks: [{ mcap: { path: '/proc/x/a.mcap' } }] },
  };

  it.each(Object.entries(fails))('%s ends in one message', async (_, { sinks }) => {
    const cwd = workplace({ 'p.yaml': file({ source, sinks }) });
    const { code, stderr } = await depthline(['run', 'p.yaml', '--stats', 'none'], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(takes) });
  });

  it('of a report or of saved frames is refused with one message', async () => {
    const message = '/proc/x cannot be made: its file system takes no new folders';
    await expect(
      writeReport('/proc/x', { sets: [], estimators: [], command: '', rgbd: undefined } as never),
    ).rejects.toThrow(message);
    await expect(openSaver('/proc/x')).rejects.toThrow(message);
    await expect(openSaver('/proc/self/fd')).rejects.toThrow(/\/proc\/self\/fd/);
  });
});

it('a link to a FIFO among pictures or their depth holds nothing up', async () => {
  const cwd = workplace();
  execFileSync('mkfifo', [join(cwd, 'fifo')]);
  for (const folder of ['pics', 'set/rgb', 'set/depth']) {
    mkdirSync(join(cwd, folder), { recursive: true });
  }
  await writePicture(join(cwd, 'pics/a.png'), 4, 4);
  await writePicture(join(cwd, 'set/rgb/b.png'), 4, 4);
  symlinkSync('../fifo', join(cwd, 'pics/b.png'));
  symlinkSync('../../fifo', join(cwd, 'set/depth/b.png'));
  for (const path of ['pics', 'set']) {
    writeFileSync(join(cwd, 'p.yaml'), file({ source: { images: { path } } }));
    const { code, stderr } = await depthline(['run', 'p.yaml', '--stats', 'none'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot read ".*b\.png": .*b\.png is a FIFO, not a regular file/);
  }
});
