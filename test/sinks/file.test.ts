import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { toMillimetres } from '../../src/depth/millimetres.ts';
import { parseCalibration } from '../../src/files/calibration-text.ts';
import { decodeRgb } from '../../src/imaging/decode.ts';
import { file } from '../../src/sinks/file.ts';
import { stereoFrame } from '../../src/testing/sample-frames.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { base, depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';

let directory: string;
let context: TestContext;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'file-'));
  context = testContext({ baseDirectory: directory });
});
afterEach(async () => {
  await context.close();
  rmSync(directory, { recursive: true });
});

async function open(given: Record<string, unknown> = {}) {
  context = testContext({ baseDirectory: directory });
  const sink = await file.create(file.options.parse({ directory: 'out', ...given }), context);
  if (!sink) throw new Error('no sink');
  return sink;
}

async function writeAll(given: Record<string, unknown>, ...frames: Frame[]): Promise<void> {
  const sink = await open(given);
  for (const frame of frames) await sink.write(frame);
  await context.close();
}

const listed = (path = 'out') => readdirSync(join(directory, path)).sort();
const lines = (path = 'out/index.csv') =>
  readFileSync(join(directory, path), 'utf8').trimEnd().split('\n');

/** What Python with Pillow or NumPy reads: type, shape and values, row by row. */
function inPython(path: string): { dtype: string; shape: number[]; values: number[] } {
  const code = `
import json, sys, numpy
from PIL import Image
path = sys.argv[1]
a = numpy.load(path) if path.endswith('.npy') else numpy.asarray(Image.open(path))
if a.dtype == numpy.float32: a = a.view(numpy.uint32); kind = 'float32 bits'
else: kind = str(a.dtype)
print(json.dumps({'dtype': kind, 'shape': a.shape, 'values': a.ravel().tolist()}))`;
  const out = execFileSync('/usr/bin/python3', ['-c', code, join(directory, path)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return JSON.parse(out) as ReturnType<typeof inPython>;
}

const bits = (data: Float32Array) => [
  ...new Uint32Array(data.buffer, data.byteOffset, data.length),
];

const hard = [0, Number.NaN, -1, 0.0004, 0.0005, 1.2345, 10, 65.534, 65.5349, 66, 1e9, 0.001];
const hardDepth = () => depthFrame(4, 3, 7, (x, y) => hard[y * 4 + x] as number);

describe('what other programs read', () => {
  test('png16 holds millimetres, bit for bit', async () => {
    await writeAll({}, hardDepth());
    const { shape, values } = inPython('out/000007.png');
    expect(shape).toEqual([3, 4]);
    expect(values).toEqual([...toMillimetres(hardDepth().data)]);
    expect(values).toEqual([0, 0, 0, 0, 1, 1235, 10000, 65534, 65535, 65535, 65535, 1]);
  });

  test('png16 holds all 65536 values', async () => {
    const all = depthFrame(256, 256, 0, (x, y) => (y * 256 + x) / 1000);
    await writeAll({}, all);
    expect(inPython('out/000000.png').values).toEqual(Array.from({ length: 65536 }, (_, i) => i));
  });

  test('npy holds metres, bit for bit', async () => {
    await writeAll({ format: 'npy' }, hardDepth());
    expect(inPython('out/000007.npy')).toEqual({
      dtype: 'float32 bits',
      shape: [3, 4],
      values: bits(hardDepth().data),
    });
  });

  test('npy holds points and pictures', async () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const image = imageFrame(3, 2, 2);
    await writeAll({ format: 'npy' }, { kind: 'points', ...base(1), count: 2, data }, image);
    expect(inPython('out/000001.npy')).toMatchObject({ shape: [2, 3], values: bits(data) });
    expect(inPython('out/000002.npy')).toEqual({
      dtype: 'uint8',
      shape: [2, 3, 3],
      values: [...image.data],
    });
  });

  test('png holds pictures, RGB and RGBA', async () => {
    const rgb = imageFrame(5, 4, 0);
    const rgba: ImageFrame = {
      ...imageFrame(2, 1, 1),
      format: 'rgba',
      data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 128),
    };
    await writeAll({ format: 'png' }, rgb, rgba);
    expect(inPython('out/000000.png')).toMatchObject({ shape: [4, 5, 3], values: [...rgb.data] });
    expect(inPython('out/000001.png')).toMatchObject({ shape: [1, 2, 4], values: [...rgba.data] });
  });

  test('jpeg holds pictures at the quality asked for', async () => {
    const image = imageFrame(32, 32, 0, (x, y) => [x * 8, y * 8, (x * y) & 255]);
    await writeAll({ format: 'jpeg', quality: 95, prefix: 'good-' }, image);
    await writeAll({ format: 'jpeg', quality: 10, prefix: 'bad-' }, image);
    const error = async (name: string) => {
      const { data } = await decodeRgb(join(directory, 'out', name));
      return data.reduce((sum, value, i) => sum + Math.abs(value - (image.data[i] as number)), 0);
    };
    expect(await error('good-000000.jpg')).toBeLessThan(0.5 * (await error('bad-000000.jpg')));
  });

  test('json holds data', async () => {
    const value = { zones: [1.5, null, 'near'] };
    await writeAll({ format: 'json' }, { kind: 'data', ...base(3), value });
    expect(JSON.parse(readFileSync(join(directory, 'out/000003.json'), 'utf8'))).toEqual(value);
  });
});

test('ply holds points and their colours, as another program reads them', async () => {
  const data = Float32Array.of(1, -2, 3.5, 4, 5, 6.25);
  const cloud = { kind: 'points', ...base(0), count: 2, data } as const;
  await writeAll({ format: 'ply' }, { ...cloud, colors: Uint8Array.of(255, 0, 0, 10, 20, 30) });
  await writeAll({ format: 'ply', prefix: 'bare-' }, cloud);
  await writeAll(
    { format: 'ply', prefix: 'none-' },
    { ...cloud, count: 0, data: new Float32Array() },
  );
  const read = (name: string) => {
    const loader = new PLYLoader();
    // As its `color`, the reader would convert them to linear light.
    loader.setCustomPropertyNameMapping({ rgb: ['red', 'green', 'blue'] });
    const bytes = new Uint8Array(readFileSync(join(directory, 'out', name)));
    const { position, rgb } = loader.parse(bytes.buffer).attributes;
    return { position: [...(position?.array ?? [])], rgb: [...(rgb?.array ?? [])] };
  };
  expect(read('000000.ply').position).toEqual([...data]);
  expect(read('000000.ply').rgb).toEqual([255, 0, 0, 10, 20, 30]);
  expect(read('bare-000000.ply').position).toEqual([...data]);
  expect(readFileSync(join(directory, 'out/bare-000000.ply'), 'latin1')).not.toContain('uchar');
  expect(read('none-000000.ply').position).toEqual([]);
});

describe('names of the source', () => {
  const named = (name: string, seq = 0, metres = 2) => ({
    ...depthFrame(2, 1, seq, () => metres),
    name,
  });

  test('a second run writes the same files again', async () => {
    await writeAll({ names: 'source' }, named('kitchen.jpg'), named('hall.jpg', 1));
    const before = [listed(), lines()];
    await writeAll({ names: 'source' }, named('kitchen.jpg', 0, 3), named('hall.jpg', 1));
    expect([listed(), lines()]).toEqual(before);
    expect(listed()).toEqual(['hall.png', 'index.csv', 'kitchen.png']);
    expect(inPython('out/kitchen.png').values).toEqual([3000, 3000]);
    expect(lines()[1]).toMatch(/,kitchen\.png,kitchen\.jpg,m,,$/);
  });

  test('a file that is not in the list is refused and kept', async () => {
    mkdirSync(join(directory, 'out'));
    writeFileSync(join(directory, 'out/kitchen.png'), 'theirs');
    await expect(writeAll({ names: 'source' }, named('kitchen.jpg'))).rejects.toThrow(
      /kitchen\.png exists and is not replaced/,
    );
    expect(readFileSync(join(directory, 'out/kitchen.png'), 'utf8')).toBe('theirs');
  });

  test('a link in place of a listed file is not followed', async () => {
    await writeAll({ names: 'source' }, named('kitchen.jpg'));
    writeFileSync(join(directory, 'theirs.png'), 'theirs');
    rmSync(join(directory, 'out/kitchen.png'));
    symlinkSync('../theirs.png', join(directory, 'out/kitchen.png'));
    await expect(writeAll({ names: 'source' }, named('kitchen.jpg'))).rejects.toThrow(
      /kitchen\.png exists and is not replaced/,
    );
    expect(readFileSync(join(directory, 'theirs.png'), 'utf8')).toBe('theirs');
  });

  test('frames without a name are numbered', async () => {
    await writeAll({ names: 'source' }, named('a.jpg'), depthFrame(2, 1, 1));
    await writeAll({ names: 'source' }, named('a.jpg'), depthFrame(2, 1, 1));
    expect(listed()).toEqual(['000001.png', '000002.png', 'a.png', 'index.csv']);
  });

  test('hold for every file of an RGB-D set', async () => {
    const rgbd = { ...named('a b.jpg'), image: imageFrame(2, 1, 0) };
    for (let run = 0; run < 2; run++)
      await writeAll({ names: 'source', layout: 'rgbd', format: 'jpeg' }, rgbd);
    expect([listed('out/rgb'), listed('out/depth')]).toEqual([['a b.jpg'], ['a b.png']]);
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).toMatch(/,rgb\/a%20b\.jpg depth\/a%20b\.png,a b\.jpg,m,,$/);
  });

  test('continue when the folder by time changes and comes back', async () => {
    const hour = (n: number, name: string) => ({
      ...named(name, n),
      capturedAt: BigInt(n % 2) * 3_600_000_000_000n,
    });
    const frames = ['a', 'b', 'a', 'b'].map((name, n) => hour(n, `${name}.jpg`));
    await writeAll({ names: 'source', directory: 'out/%H' }, ...frames);
    for (const folder of listed()) {
      expect(listed(`out/${folder}`)).toHaveLength(2);
      expect(lines(`out/${folder}/index.csv`)).toHaveLength(2);
    }
  });
});

describe('an RGB-D data set', () => {
  test('of pictures with ground truth', async () => {
    const { width, height, data } = depthFrame(4, 3, 5, (x) => 1 + x);
    const image = imageFrame(8, 6, 5);
    await writeAll({ layout: 'rgbd', format: 'png' }, { ...image, truth: { width, height, data } });
    expect(inPython('out/rgb/000005.png').values).toEqual([...image.data]);
    expect(inPython('out/depth/000005.png').values).toEqual([...toMillimetres(data)]);
    expect(lines()[1]).toMatch(/,rgb\/000005\.png depth\/000005\.png,,,,$/);
  });

  test('of depth frames with their picture, as jpeg', async () => {
    const depth = { ...depthFrame(4, 3, 0), image: imageFrame(4, 3, 0) };
    await writeAll({ layout: 'rgbd', format: 'jpeg' }, depth);
    expect(listed('out/rgb')).toEqual(['000000.jpg']);
    expect(listed('out/depth')).toEqual(['000000.png']);
    expect(context.report()).toMatchObject({ directory: join(directory, 'out'), files: 2 });
  });

  test('needs both', async () => {
    const sink = await open({ layout: 'rgbd' });
    await expect(sink.write(depthFrame())).rejects.toThrow(/the depth frame 0 has no picture/);
    await expect(sink.write(imageFrame())).rejects.toThrow(/the image frame 0 has no depth/);
  });
});

describe('a data set of stereo pairs', () => {
  test('has both pictures, the true disparity in 1/256 pixel, and the calibration', async () => {
    const pair = stereoFrame(4, 3, 7);
    const truth = { width: 4, height: 3, data: new Float32Array(12).fill(0.7) };
    await writeAll({ layout: 'stereo', format: 'png' }, { ...pair, truth });
    expect(inPython('out/left/000007.png').values).toEqual([...pair.left.data]);
    expect(inPython('out/right/000007.png').values).toEqual([...pair.right.data]);
    expect(inPython('out/disparity/000007.png').values).toEqual(new Array(12).fill(2 * 256));
    const text = readFileSync(join(directory, 'out/calib/000007.txt'), 'utf8');
    expect(parseCalibration(text)).toMatchObject({ baseline: 0.1, intrinsics: pair.intrinsics });
    expect(lines()[1]).toMatch(/left\/000007\.png right\/000007\.png disparity\/.* calib\//);
  });

  test('is replaced and continued like any other', async () => {
    await writeAll({ layout: 'stereo' }, stereoFrame(4, 3, 0));
    await writeAll({ layout: 'stereo' }, stereoFrame(4, 3, 0));
    expect(listed('out/calib')).toEqual(['000000.txt', '000001.txt']);
    await writeAll({ layout: 'stereo', existing: 'overwrite' }, stereoFrame(4, 3, 0));
    for (const [folder, name] of [
      ['left', '000000.png'],
      ['right', '000000.png'],
      ['calib', '000000.txt'],
    ])
      expect(listed(`out/${folder}`)).toEqual([name]);
  });

  test('needs pairs that are calibrated', async () => {
    const sink = await open({ layout: 'stereo' });
    await expect(sink.write(imageFrame())).rejects.toThrow(/stereo holds pairs of pictures/);
    const { baseline: _, ...bare } = stereoFrame();
    await expect(sink.write(bare)).rejects.toThrow(/needs the baseline/);
    const flat = await open();
    await expect(flat.write(stereoFrame())).rejects.toThrow(/use "layout: stereo"/);
  });
});

describe('the index', () => {
  test('has a line per frame with its times and files', async () => {
    await writeAll({ prefix: 'd_' }, depthFrame(2, 2, 4), depthFrame(2, 2, 6));
    const { pts, capturedAt } = base(4);
    expect(lines('out/d_index.csv')).toEqual([
      'seq,pts,capturedAt,files,name,unit,view,intrinsics',
      `4,${pts},${capturedAt},d_000004.png,,m,,`,
      `6,${base(6).pts},${base(6).capturedAt},d_000006.png,,m,,`,
    ]);
  });
});

describe('a directory with frames of an earlier run', () => {
  beforeEach(() =>
    writeAll(
      {},
      depthFrame(2, 2, 0, () => 1),
      depthFrame(2, 2, 1, () => 1),
    ),
  );

  test('append, the default, keeps them and numbers on', async () => {
    await writeAll(
      {},
      depthFrame(2, 2, 0, () => 3),
      depthFrame(2, 2, 2, () => 3),
    );
    expect(listed()).toEqual(['000000.png', '000001.png', '000002.png', '000004.png', 'index.csv']);
    expect(inPython('out/000000.png').values[0]).toBe(1000);
    expect(inPython('out/000002.png').values[0]).toBe(3000);
    expect(lines().map((line) => line.split(',')[3])).toEqual([
      'files',
      '000000.png',
      '000001.png',
      '000002.png',
      '000004.png',
    ]);
  });

  test('append goes on behind a line that was cut off', async () => {
    writeFileSync(
      join(directory, 'out/index.csv'),
      'seq,pts,capturedAt,files,name,unit,view,intrinsics\n0,0,0,000000.png,,m,,\n1,',
    );
    const cut = readFileSync(join(directory, 'out/000001.png'));
    await writeAll({}, depthFrame(2, 2, 0));
    expect(lines().at(-1)).toMatch(/^0,.*,000002\.png,,m,,$/);
    expect(lines().at(-2)).toBe('1,');
    // The frame whose line was cut off is kept.
    expect(readFileSync(join(directory, 'out/000001.png'))).toEqual(cut);
  });

  test('overwrite removes them, and nothing else', async () => {
    writeFileSync(join(directory, 'out/notes.txt'), '');
    writeFileSync(join(directory, 'kept.png'), '');
    writeFileSync(
      join(directory, 'out/index.csv'),
      `${lines().join('\n')}\n9,0,0,../kept.png notes.txt,\n`,
    );
    await writeAll({ existing: 'overwrite' }, depthFrame(2, 2, 8));
    expect(listed()).toEqual(['000008.png', 'index.csv', 'notes.txt']);
    expect(listed('.')).toContain('kept.png');
    expect(lines()).toHaveLength(2);
  });

  test('fail refuses before the first frame', async () => {
    await expect(open({ existing: 'fail' })).rejects.toThrow(
      /out holds frames already \(index\.csv\); choose another directory/,
    );
    expect(lines()).toHaveLength(3);
  });
});

describe('a directory with time fields', () => {
  const at = (iso: string, seq: number): Frame => ({
    ...depthFrame(2, 2, seq),
    capturedAt: BigInt(new Date(iso).getTime()) * 1_000_000n,
  });

  test('follows the capture time', async () => {
    const frames = [at('2026-03-01T09:59:59', 0), at('2026-03-01T10:00:00', 1)];
    await writeAll({ directory: 'out/%Y-%m-%d/%H', existing: 'overwrite' }, ...frames);
    expect(listed('out/2026-03-01/09')).toEqual(['000000.png', 'index.csv']);
    expect(listed('out/2026-03-01/10')).toEqual(['000001.png', 'index.csv']);
  });

  test('going back in time overwrites nothing of the same run', async () => {
    const frames = [at('2026-03-01T09:59:59', 0), at('2026-03-01T10:00:00', 1)];
    const back = at('2026-03-01T09:59:58', 2);
    await writeAll({ directory: 'out/%H', existing: 'overwrite' }, ...frames, back);
    expect(listed('out/09')).toEqual(['000000.png', '000002.png', 'index.csv']);
  });

  test('cannot lead out of itself', () => {
    const problem = (template: string) =>
      file.options.safeParse({ directory: template }).error?.issues[0]?.message;
    expect(problem('out/%Y/../../../etc')).toBe('must not contain ".." after a time field');
    expect(problem('%Y/..')).toBe('must not contain ".." after a time field');
    expect(problem('../beside/%Y..%m')).toBeUndefined();
  });
});

describe('a frame that the format cannot hold', () => {
  test.each([
    ['png16', imageFrame(), /format png16 cannot hold image frames; use png, jpeg or npy/],
    ['jpeg', depthFrame(), /cannot hold depth frames; use png16 or npy, or put colorize before/],
    ['json', depthFrame(), /format json cannot hold depth frames/],
  ])('%s', async (format, frame, message) => {
    const sink = await open({ format });
    await expect(sink.write(frame)).rejects.toThrow(message);
  });
});

describe('what goes wrong', () => {
  test.skipIf(!canMount)('a full disk is named, and leaves nothing half-written', async () => {
    const disk = smallDisk();
    try {
      const sink = await open({ directory: disk.path, format: 'npy' });
      await sink.write(depthFrame(64, 64, 0));
      const writing = async () => {
        for (let seq = 1; seq < 5; seq++) await sink.write(depthFrame(64, 64, seq));
      };
      await expect(writing()).rejects.toMatchObject({
        code: 'SINK',
        message: `the disk of ${disk.path} is full; free space or choose another directory`,
      });
      const files = readdirSync(disk.path);
      expect(files).toContain('000000.npy');
      expect(files.filter((name) => name.endsWith('.part') && name < '000002')).toEqual([]);
      await context.close();
    } finally {
      disk.remove();
    }
  });

  test('a failure in the middle of an RGB-D frame takes back its first half', async () => {
    const sink = await open({ layout: 'rgbd', format: 'png' });
    mkdirSync(join(directory, 'out/depth/000000.png'));
    const frame = { ...depthFrame(), image: imageFrame() };
    await expect(sink.write(frame)).rejects.toMatchObject({ code: 'SINK' });
    expect(listed('out/rgb')).toEqual([]);
    expect(lines()).toHaveLength(1);
    // The next frame gets a number that is free.
    await sink.write(frame);
    expect(lines()[1]).toMatch(/,rgb\/000001\.png depth\/000001\.png,,m,,$/);
  });

  test('a directory that has vanished is named, and the next frame makes it again', async () => {
    const sink = await open();
    rmSync(join(directory, 'out'), { recursive: true });
    await expect(sink.write(depthFrame(2, 2, 0))).rejects.toThrow(/out has vanished/);
    await sink.write(depthFrame(2, 2, 1));
    expect(listed()).toEqual(['000001.png', 'index.csv']);
  });

  test('a file in the place of the directory', async () => {
    writeFileSync(join(directory, 'out'), '');
    await expect(open()).rejects.toThrow(/out is not a directory/);
    await expect(open({ directory: 'out/%Y' })).rejects.toThrow(/is not a directory/);
  });
});

test('no name is visible before its file is complete', async () => {
  const sink = await open({ format: 'npy' });
  const seen: string[] = [];
  const watcher = watch(join(directory, 'out'), (event, name) => {
    if (event === 'rename' && name) seen.push(name);
  });
  for (let seq = 0; seq < 5; seq++) await sink.write(depthFrame(64, 64, seq));
  await until(() => seen.includes('000004.npy'));
  watcher.close();
  for (const name of listed().filter((name) => name.endsWith('.npy')))
    expect(seen.indexOf(name)).toBeGreaterThan(seen.indexOf(`${name}.part`));
  expect(listed().filter((name) => name.endsWith('.part'))).toEqual([]);
});
