import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, take, toArray } from 'rxjs';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { images } from '../../src/sources/images.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';

let folder: string;
let context: TestContext;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'images-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(options: object, overrides: Parameters<typeof testContext>[0] = {}) {
  context = testContext({ baseDirectory: folder, ...overrides });
  return images.create(images.options.parse(options), context);
}

async function all(options: object): Promise<ImageFrame[]> {
  return (await lastValueFrom((await open(options)).pipe(toArray<Frame>()))) as ImageFrame[];
}

/** A picture of one red level, so that frames tell which file they came from. */
async function picture(name: string, red: number, width = 4, height = 2) {
  const create = { width, height, channels: 3 as const, background: { r: red, g: 0, b: 0 } };
  mkdirSync(join(folder, name, '..'), { recursive: true });
  await sharp({ create }).toFile(join(folder, name));
}

async function depthPng(name: string, millimetres: Uint16Array, width: number, height: number) {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  await sharp(millimetres, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toFile(join(folder, name));
}

test('reads a folder in natural order', async () => {
  for (const n of [10, 9, 1, 2]) await picture(`in/${n}.png`, n);
  writeFileSync(join(folder, 'in/notes.txt'), 'not a picture');
  const frames = await all({ path: 'in', fps: 20 });
  expect(frames.map(({ data }) => data[0])).toEqual([1, 2, 9, 10]);
  expect(frames.map(({ pts }) => pts)).toEqual([0n, 50_000_000n, 100_000_000n, 150_000_000n]);
  expect(frames[0]).toMatchObject({ width: 4, height: 2, format: 'rgb', source: 'test' });
});

test('frames have the names of their files', async () => {
  for (const name of ['photos/b.png', 'photos/sub/a.jpg']) await picture(name, 1);
  const names = async (path: string) => (await all({ path })).map(({ name }) => name);
  expect(await names('photos')).toEqual(['b.png']);
  expect(await names('photos/**/*.{png,jpg}')).toEqual(['b.png', 'sub/a.jpg']);
  expect(await names('photos/sub/a.jpg')).toEqual(['a.jpg']);
});

test('reads every format as RGB, and a glob', async () => {
  for (const ending of ['jpg', 'png', 'webp', 'tiff']) await picture(`all/a.${ending}`, 255);
  await sharp({ create: { width: 4, height: 2, channels: 4, background: '#ff000080' } })
    .png()
    .toFile(join(folder, 'all/b.png'));
  await sharp(new Uint8Array(8).fill(254), { raw: { width: 4, height: 2, channels: 1 } })
    .png()
    .toFile(join(folder, 'all/c.png'));
  const frames = await all({ path: 'all' });
  expect(frames.map(({ data }) => data.length)).toEqual(Array(6).fill(24));
  for (const { data } of frames) expect(data[0]).toBeGreaterThan(250);
  expect(await all({ path: 'all/*.{jpg,webp}' })).toHaveLength(2);
  expect(await all({ path: 'all/a.tiff' })).toHaveLength(1);
});

test('turns a picture upright as its EXIF orientation says', async () => {
  const raw = { width: 4, height: 2, channels: 3 as const };
  await sharp(new Uint8Array(24), { raw })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(join(folder, 'turned.jpg'));
  expect((await all({ path: 'turned.jpg' }))[0]).toMatchObject({ width: 2, height: 4 });
});

test('pairs depth by name and reads 16 bits exactly', async () => {
  const values = Uint16Array.from([0, 1, 255, 256, 257, 4095, 40_000, 65_535]);
  await picture('rgb/1.jpg', 0);
  await picture('rgb/2.jpg', 0);
  await depthPng('depth/2.png', values, 4, 2);
  const frames = await all({ path: '.' });
  expect(frames[0]?.truth).toBeUndefined();
  expect(frames[1]?.truth).toMatchObject({ width: 4, height: 2 });
  const metres = Array.from(values, (value) => Math.fround(value / 1000));
  expect(Array.from(frames[1]?.truth?.data ?? [])).toEqual(metres);
  expect(await all({ path: 'rgb/*', depth: 'depth' })).toHaveLength(2);
});

test('pairs depth by order where no name fits', async () => {
  for (const n of [1, 2, 10]) {
    await picture(`c/colour_${n}.png`, n);
    await depthPng(`d/depth_${n}.png`, new Uint16Array(8).fill(n * 1000), 4, 2);
  }
  const frames = await all({ path: 'c', depth: 'd' });
  expect(frames.map(({ truth }) => truth?.data[0])).toEqual([1, 2, 10]);
  rmSync(join(folder, 'd/depth_2.png'));
  await expect(open({ path: 'c', depth: 'd' })).rejects.toThrow(/2 depth pictures for 3 pictures/);
});

test('fails before the run if there is nothing to read', async () => {
  mkdirSync(join(folder, 'empty'));
  await expect(open({ path: 'empty' })).rejects.toThrow(/no picture found at "empty"/);
  await expect(open({ path: 'missing/*.png' })).rejects.toThrow(/no picture found/);
  await picture('in/1.png', 1);
  await expect(open({ path: 'in', depth: 'empty' })).rejects.toThrow(/no depth picture found/);
});

test('an unreadable file ends the run, or is skipped and counted', async () => {
  for (const n of [1, 3]) await picture(`in/${n}.png`, n);
  writeFileSync(join(folder, 'in/2.png'), 'garbage');
  await expect(all({ path: 'in' })).rejects.toThrow(/cannot read "in\/2.png".*on-error: skip/);
  const frames = await all({ path: 'in', 'on-error': 'skip' });
  expect(frames.map(({ seq, data }) => [seq, data[0]])).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(context.drops).toEqual(new Map([['unreadable', 1]]));
});

test('a loop over unreadable files ends', async () => {
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/1.png'), 'garbage');
  await expect(all({ path: 'in', loop: true, 'on-error': 'skip' })).rejects.toThrow(
    /none of 1 pictures can be read/,
  );
});

/** Two pictures that can be read, and four that cannot. */
async function mixedFolder() {
  for (const n of [1, 2]) await picture(`in/${n}.jpg`, n * 100);
  const python = `
import sys
from PIL import Image
Image.new('RGB', (4, 2)).save(sys.argv[1] + '/3.bmp')
Image.effect_noise((64, 64), 80).save(sys.argv[1] + '/4.jpg', quality=95)
open(sys.argv[1] + '/4.jpg', 'r+b').truncate(2000)
`;
  execFileSync('/usr/bin/python3', ['-c', python, join(folder, 'in')], { timeout: 60_000 });
  writeFileSync(join(folder, 'in/5.HEIC'), '\0\0\0\x18ftypheic');
  writeFileSync(join(folder, 'in/6.gif'), 'GIF89a');
  writeFileSync(join(folder, 'in/notes.txt'), '');
}

test('reports and counts every picture that cannot be read', async () => {
  await mixedFolder();
  await expect(all({ path: 'in' })).rejects.toThrow(
    /cannot read "in\/3.bmp": BMP is not supported; convert the file to JPEG or PNG; .*"on-error: skip"/,
  );
  const frames = await all({ path: 'in', 'on-error': 'skip' });
  expect(frames.map(({ data }) => Math.round((data[0] as number) / 100))).toEqual([1, 2]);
  expect(context.drops).toEqual(new Map([['unreadable', 4]]));
  const warned = context.logs.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warned).toHaveLength(4);
  expect(warned[0]).toMatch(/^skipped a picture: cannot read "in\/3.bmp": BMP is not supported/);
  expect(warned[1]).toMatch(/"in\/4.jpg": .*(premature|truncated|corrupt)/i);
  expect(warned[2]).toMatch(/"in\/5.HEIC": HEIC is not supported; convert/);
  expect(warned[3]).toMatch(/"in\/6.gif"/);
  expect(context.logs).toContainEqual({
    level: 'info',
    message: '1 file ignored: in/notes.txt',
  });
});

test('reads the first picture of an animation, with a warning', async () => {
  mkdirSync(join(folder, 'in'));
  const raw = { width: 2, height: 6, channels: 3 as const, pageHeight: 2 };
  const pages = Uint8Array.from({ length: 36 }, (_, i) => (Math.floor(i / 12) + 1) * 60);
  await sharp(pages, { raw })
    .gif({ delay: [100, 100, 100] })
    .toFile(join(folder, 'in/1.gif'));
  const [frame] = await all({ path: 'in' });
  expect(frame).toMatchObject({ width: 2, height: 2 });
  expect(frame?.data[0]).toBe(60);
  expect(Object.hasOwn(frame as object, 'pages')).toBe(false);
  expect(context.logs).toEqual([
    { level: 'warn', message: '"in/1.gif" has 3 pictures; only the first is read' },
  ]);
});

test('reads AVIF, and pictures by what they are, not by their ending', async () => {
  await picture('in/1.avif', 200);
  await picture('in/2.png', 200);
  renameSync(join(folder, 'in/2.png'), join(folder, 'in/2.bmp'));
  const frames = await all({ path: 'in' });
  expect(frames.map(({ data }) => Math.abs((data[0] as number) - 200) < 8)).toEqual([true, true]);
});

test('pictures without depth are reported', async () => {
  for (const n of [1, 2, 3]) await picture(`rgb/${n}.jpg`, 0);
  await depthPng('depth/2.png', new Uint16Array(8), 4, 2);
  await depthPng('depth/7.png', new Uint16Array(8), 4, 2);
  expect(await all({ path: '.' })).toHaveLength(3);
  expect(context.logs).toEqual([
    { level: 'info', message: '1 file ignored: depth/7.png' },
    {
      level: 'warn',
      message: '2 of 3 pictures have no depth picture: rgb/1.jpg, rgb/3.jpg',
    },
  ]);
});

test('decimals in names are numbers', async () => {
  for (const [i, name] of ['10.5', '9.75', '10.25'].entries()) await picture(`in/${name}.png`, i);
  const frames = await all({ path: 'in' });
  expect(frames.map(({ data }) => data[0])).toEqual([1, 2, 0]);
});

test.each(['Room (1)', '[a-b] trip', '{x,y}', 'why?', '!not', '@(one)', 'a+(b)', '* star'])(
  'a folder called %s',
  async (name) => {
    for (const n of [1, 2]) await picture(`${name}/sub/${n}.png`, n);
    await picture(`${name}/3.jpg`, 3);
    expect(await all({ path: `${name}/sub` })).toHaveLength(2);
    expect(await all({ path: `${name}/sub/*.png` })).toHaveLength(2);
    expect(await all({ path: `${name}/**/*.png` })).toHaveLength(2);
    expect(await all({ path: join(folder, name, '*.jpg') })).toHaveLength(1);
    expect(await all({ path: `./${name}/../${name}/*.jpg` })).toHaveLength(1);
  },
);

test('parentheses below a wildcard are part of the name, alternatives are alternatives', async () => {
  await picture('trip/Room (1)/1.png', 1);
  await picture('trip/Room 1/2.png', 2);
  expect(await all({ path: '*/Room (1)/*.png' })).toHaveLength(1);
  expect(await all({ path: '*/Room (1|2)/*.png' })).toHaveLength(1);
  expect(await all({ path: '*/Room*/{1,2}.png' })).toHaveLength(2);
});

test('refuses depth that is not a 16-bit grey PNG', async () => {
  await picture('rgb/1.png', 1);
  await picture('depth/1.png', 1);
  await expect(all({ path: '.' })).rejects.toThrow(/cannot read "depth\/1.png".*16-bit grey/);
});

test('loops until it is stopped', async () => {
  for (const n of [1, 2]) await picture(`in/${n}.png`, n);
  const source = await open({ path: 'in', loop: true });
  const frames = await lastValueFrom(source.pipe(take(5), toArray<Frame>()));
  expect(frames.map((frame) => (frame as ImageFrame).data[0])).toEqual([1, 2, 1, 2, 1]);
  expect(frames.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
});

test('waits at the gate', async () => {
  for (const n of [1, 2]) await picture(`in/${n}.png`, n);
  const gate = new Gate();
  gate.hold('test');
  const source = await open({ path: 'in' }, { gate });
  const seen: number[] = [];
  source.subscribe(({ seq }) => {
    seen.push(seq);
    gate.hold('test');
  });
  for (const n of [1, 2]) {
    expect(seen).toHaveLength(n - 1);
    gate.release('test');
    await until(() => seen.length === n);
  }
});

test('real time and intrinsics', async () => {
  for (const n of [1, 2, 3]) await picture(`in/${n}.png`, n);
  const clock = new VirtualClock();
  const options = { path: 'in', realtime: true, fps: 10, intrinsics: { 'field-of-view': 90 } };
  const source = await open(options, { clock });
  const frames: ImageFrame[] = [];
  source.subscribe((frame) => frames.push(frame as ImageFrame));
  await until(() => frames.length === 1);
  await clock.advance(99);
  expect(frames).toHaveLength(1);
  await clock.advance(1);
  await until(() => frames.length === 2);
  expect(frames[0]?.intrinsics?.fx).toBeCloseTo(2, 9);
});

test('every example is valid', () => {
  for (const example of images.examples) images.options.parse(example);
});

test('counts what looks like a picture but is none to read', async () => {
  await picture('in/a.png', 1);
  symlinkSync('gone.jpg', join(folder, 'in/b.jpg'));
  symlinkSync('c.jpg', join(folder, 'in/c.jpg'));
  execFileSync('mkfifo', [join(folder, 'in/d.jpg')]);
  symlinkSync('d.jpg', join(folder, 'in/e.jpg'));
  symlinkSync('a.png', join(folder, 'in/f.png'));
  for (const path of ['in', 'in/*', '*/*.{jpg,png}']) {
    const frames = await all({ path, 'on-error': 'skip' });
    expect(frames.map(({ data }) => data[0])).toEqual([1, 1]);
    expect(context.drops).toEqual(new Map([['unreadable', 4]]));
  }
  await expect(all({ path: 'in/b.jpg' })).rejects.toThrow(
    /in\/b\.jpg is a link to a file that cannot be found/,
  );
});
