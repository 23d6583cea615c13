import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plotMark } from '../../src/benchmark/plot.ts';
import { openSaver } from '../../src/cli/save-frames.ts';
import { writeResult } from '../../src/cli/write-result.ts';
import { DepthlineError } from '../../src/core/errors.ts';
import { writeReport } from '../../src/evaluation/report.ts';
import { writeNew } from '../../src/files/own-file.ts';
import { file } from '../../src/sinks/file.ts';
import { video } from '../../src/sinks/video.ts';
import type { ReceivedFrame } from '../../src/topic/subscribe-depth.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

let root: string;
/** Where writers write. */
let place: string;
/** Files that are none of theirs. */
let foreign: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'depthline-paths-'));
  place = join(root, 'place');
  foreign = join(root, 'foreign');
  mkdirSync(place);
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'photo'), 'the only copy of a photograph');
});
afterEach(() => rmSync(root, { recursive: true }));

interface Writer {
  /** Names that it uses in the folder it is given, the temporary ones too. */
  readonly names: readonly string[];
  write(directory: string): Promise<unknown>;
  /** Those that are there at the end; default: all but the temporary ones. */
  readonly written?: readonly string[];
  /** Fills strftime fields in. */
  readonly fillsInTime?: true;
}

async function writeFrames(directory: string, options: Record<string, unknown>): Promise<void> {
  const context = testContext({ baseDirectory: root });
  try {
    const sink = await file.create(file.options.parse({ directory, ...options }), context);
    for (let seq = 0; seq < 3; seq++)
      await sink?.write({ ...depthFrame(4, 3, seq), image: imageFrame(4, 3, seq) });
  } finally {
    await context.close();
  }
}

function received(seq: number): ReceivedFrame {
  return { ...depthFrame(4, 3, seq), header: { shape: [3, 4] } } as unknown as ReceivedFrame;
}

const existing = ['append', 'overwrite', 'fail'] as const;
async function recordVideo(directory: string, options: Record<string, unknown>): Promise<void> {
  const context = testContext({ baseDirectory: root });
  try {
    const path = join(directory, 'clip.mkv');
    const given = video.options.parse({ path, codec: 'mjpeg', ...options });
    const sink = await video.create(given, context);
    for (let seq = 0; seq < 3; seq++) await sink?.write(imageFrame(16, 16, seq));
  } finally {
    await context.close();
  }
}

const frameNames = ['000000.png', '000001.png', '000002.png.part', 'index.csv', 'index.csv.part'];

const writers: Readonly<Record<string, Writer>> = {
  ...Object.fromEntries(
    existing.map((choice): [string, Writer] => [
      `file with existing: ${choice}`,
      {
        names: frameNames,
        write: (directory) => writeFrames(directory, { existing: choice }),
        fillsInTime: true,
      },
    ]),
  ),
  'file with layout: rgbd': {
    names: ['rgb', 'rgb/000000.png', 'depth', 'depth/000001.png', 'depth/000002.png.part'],
    write: (directory) => writeFrames(directory, { layout: 'rgbd', format: 'png' }),
    fillsInTime: true,
  },
  ...Object.fromEntries(
    (['append', 'fail'] as const).map((choice): [string, Writer] => [
      `video with existing: ${choice}`,
      {
        names: ['clip.mkv', 'clip.recording.mkv'],
        written: ['clip.mkv'],
        write: (directory) => recordVideo(directory, { existing: choice }),
        fillsInTime: true,
      },
    ]),
  ),
  'subscribe --save': {
    names: ['000000.npy', '000001.npy.part', 'index.csv'],
    async write(directory) {
      const saver = await openSaver(directory);
      try {
        for (let seq = 0; seq < 3; seq++) await saver.save(received(seq));
      } finally {
        await saver.close();
      }
    },
  },
  'eval --report': {
    names: ['index.html', 'index.html.part', 'results.json', 'results.json.part'],
    write: (directory) =>
      writeReport(directory, { command: 'eval', sets: [], estimators: [], rgbd: {} }),
  },
  'bench --plot': {
    names: ['cost.svg', 'cost.svg.part'],
    write: (directory) => writeResult(join(directory, 'cost.svg'), `<svg>${plotMark}`, plotMark),
  },
  'a new file': {
    names: ['new', 'new.part'],
    write: (directory) => writeNew(join(directory, 'new'), 'new'),
  },
};

/** What may stand where a writer wants to write. */
const obstacles: Readonly<Record<string, (path: string) => void>> = {
  'a file': (path) => writeFileSync(path, 'somebody’s notes'),
  'a file that cannot be written': (path) => writeFileSync(path, 'notes', { mode: 0o400 }),
  'a hard link': (path) => linkSync(join(foreign, 'photo'), path),
  'a link to a file': (path) => symlinkSync(join(foreign, 'photo'), path),
  'a link to nothing': (path) => symlinkSync(join(foreign, 'nothing'), path),
  'a link to a folder': (path) => symlinkSync(foreign, path),
  'a link to a device': (path) => symlinkSync('/dev/null', path),
  'a folder': (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'somebody’s notes');
  },
  'a FIFO': (path) => {
    execFileSync('mkfifo', [path]);
  },
};

/** Everything below a path: kind, inode and bytes. */
function contents(path: string): Record<string, string> {
  const stats = lstatSync(path);
  const of = (what: string) => ({ [path]: `${stats.ino} ${what}` });
  if (stats.isSymbolicLink()) return of(`-> ${readlinkSync(path)}`);
  if (stats.isFile()) return of(readFileSync(path, 'utf8'));
  if (!stats.isDirectory()) return of('special');
  const names = readdirSync(path);
  return Object.assign(of('folder'), ...names.map((name) => contents(join(path, name))));
}

/** Runs a writer that may refuse, but only in our words. */
async function attempt(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    expect(error).toBeInstanceOf(DepthlineError);
    expect(error).toMatchObject({ code: 'SINK', message: expect.stringMatching(/; .*choose/) });
  }
}

describe.each(Object.entries(writers))('%s', (_, writer) => {
  const { names, write, fillsInTime } = writer;

  it('writes where nothing is', async () => {
    await write(place);
    const written = writer.written ?? names.filter((name) => !name.endsWith('.part'));
    expect(written.filter((name) => !existsSync(join(place, name)))).toEqual([]);
  });

  const cases = Object.keys(obstacles).flatMap((obstacle) =>
    names.map((name): [string, string] => [obstacle, name]),
  );
  it.each(cases)('changes nothing of %s at %s', async (obstacle, name) => {
    const path = join(place, name);
    mkdirSync(dirname(path), { recursive: true });
    obstacles[obstacle]?.(path);
    const before = { ...contents(path), ...contents(foreign) };
    await attempt(write(place));
    // In a folder that is its own name (rgb/) a writer may put files beside those that are there.
    expect({ ...contents(path), ...contents(foreign) }).toMatchObject(before);
    expect(readFileSync(join(foreign, 'photo'), 'utf8')).toBe('the only copy of a photograph');
    expect(existsSync(join(foreign, 'nothing'))).toBe(false);
  });

  it.each([
    'Räume (1)',
    '深度',
    '🤖 robot',
    'new\nline',
    '-rf',
    "it's",
    '%',
    `${'n'.repeat(250)}`,
    '..name',
  ])('writes in a folder named %j', async (name) => {
    const directory = join(place, name);
    mkdirSync(directory);
    await write(fillsInTime ? directory.replaceAll('%', '%%') : directory);
    expect(readdirSync(place)).toEqual([basename(directory)]);
    expect(readdirSync(directory).sort()).not.toEqual([]);
  });
});
