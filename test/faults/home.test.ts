import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSaver } from '../../src/cli/save-frames.ts';
import { writeResult } from '../../src/cli/write-result.ts';
import type { Frame } from '../../src/core/frame.ts';
import { findStereoPairs } from '../../src/evaluation/stereo/stereo-folder.ts';
import { findModel } from '../../src/inference/model-files.ts';
import { modulePaths } from '../../src/pipeline/use-module.ts';
import { file } from '../../src/sinks/file.ts';
import { video } from '../../src/sinks/video.ts';
import { images } from '../../src/sources/images.ts';
import { nats } from '../../src/sources/nats.ts';
import { stereo } from '../../src/sources/stereo.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { readRig } from '../../src/stereo/calibration-file.ts';
import { testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';

const before = process.env.HOME;
let home: string;
let base: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'depthline-home-'));
  base = join(home, 'elsewhere');
  mkdirSync(base);
  process.env.HOME = home;
});
afterEach(() => {
  process.env.HOME = before;
  // No folder is called "~".
  expect(readdirSync(base)).toEqual([]);
  rmSync(home, { recursive: true });
});

/** What a component that reads says about a path that does not exist: where it looked. */
const reading = [
  ['images', () => images.create(images.options.parse({ path: '~/x' }), context())],
  ['images by a glob', () => images.create(images.options.parse({ path: '~/x/*.png' }), context())],
  ['video-file', () => videoFile.create(videoFile.options.parse({ path: '~/x' }), context())],
  ['a model', () => findModel('~/x.onnx', base)],
  ['a calibration', () => readRig(['~/x.yml'], base, 1)],
  ['a folder of pairs', () => findStereoPairs('~/x', base)],
  ['nats', () => nats.create(nats.options.parse({ tls: { ca: '~/x.pem' } }), context())],
] as const;
const context = () => testContext({ baseDirectory: base });

it.each(reading)('%s reads in the home directory for ~/', async (_, read) => {
  await expect(read()).rejects.toThrow(join(home, 'x'));
});

it.each([
  ['stereo', () => stereo.reads?.({ calibration: '~/x' } as never, base)],
  ['nats', () => nats.reads?.(nats.options.parse({ tls: { ca: '~/x' } }), base)],
])('%s says that it reads there, where no sink may write', (_, reads) => {
  expect(reads()?.map(({ path }) => path)).toEqual([join(home, 'x')]);
});

it('modules are loaded from there', () => {
  expect(modulePaths(['~/a.js'], join(base, 'p.yaml'))).toEqual([join(home, 'a.js')]);
});

it('every writer writes there', async () => {
  const frame: Frame = imageFrame(16, 16);
  for (const [component, options] of [
    [file, { directory: '~/f', format: 'png' }],
    [file, { directory: '~/t/%Y', format: 'png' }],
    [video, { path: '~/v/a.mkv', codec: 'mjpeg' }],
    [video, { path: '~/w/%Y.mkv', codec: 'mjpeg' }],
  ] as const) {
    const own = context();
    const sink = await component.create(component.options.parse(options) as never, own);
    await sink?.write(frame);
    await own.close();
  }
  await (await openSaver('~/s')).close();
  await writeResult('~/plot', 'mark', 'mark');
  // GStreamer keeps a cache there.
  const written = readdirSync(home).filter((name) => !name.startsWith('.'));
  expect(written.sort()).toEqual(['elsewhere', 'f', 'plot', 's', 't', 'v', 'w']);
  const year = String(new Date(Number(frame.capturedAt / 1_000_000n)).getFullYear());
  expect(readdirSync(join(home, 't'))).toEqual([year]);
  expect(readdirSync(join(home, 'w'))).toEqual([`${year}.mkv`]);
});
