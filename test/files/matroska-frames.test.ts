import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countMatroskaFrames } from '../../src/files/matroska-frames.ts';
import { makeVideo } from '../support/gstreamer.ts';
import { decodeVideo } from '../support/video.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-matroska-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['MJPEG', 'jpegenc ! matroskamux'],
  ['H.264', 'x264enc bframes=0 key-int-max=30 ! h264parse ! matroskamux'],
  ['VP8', 'vp8enc deadline=1 ! matroskamux'],
])('%s', (name, encode) => {
  const cut = (part: number) => {
    const whole = readFileSync(join(folder, `${name}.mkv`));
    const path = join(folder, `${name}-${part}.mkv`);
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length * part)));
    return path;
  };

  it('counts every frame of a whole file', async () => {
    const path = join(folder, `${name}.mkv`);
    makeVideo(path, { frames: 200, width: 128, height: 96, encode });
    expect(await countMatroskaFrames(path)).toBe(200);
  });

  it.each([0.2, 0.37, 0.5, 0.81, 0.97])(
    'counts what a player finds in the first %d',
    async (part) => {
      const path = cut(part);
      const frames = await countMatroskaFrames(path);
      expect(frames).toBeGreaterThan(0);
      expect(decodeVideo(path).pts).toHaveLength(frames);
    },
  );
});

it('finds none in other files', async () => {
  const at = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  expect(await countMatroskaFrames(join(folder, 'missing'))).toBe(0);
  expect(await countMatroskaFrames(at('empty', Buffer.alloc(0)))).toBe(0);
  expect(await countMatroskaFrames(at('zeros', Buffer.alloc(100_000)))).toBe(0);
  expect(await countMatroskaFrames(at('ones', Buffer.alloc(100_000, 255)))).toBe(0);
  expect(await countMatroskaFrames(at('text', Buffer.from('not a video'.repeat(9999))))).toBe(0);
});
