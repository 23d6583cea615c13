import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { videoFile } from '../../src/sources/video-file.ts';
import { testContext } from '../support/context.ts';
import { makeVideo } from '../support/gstreamer.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'video-file-'));
  makeVideo(join(directory, 'ball.mkv'), { frames: 60 });
});
afterAll(() => rmSync(directory, { recursive: true }));

async function open(
  options: Record<string, unknown>,
  context = testContext({ baseDirectory: directory }),
) {
  const frames = await videoFile.create(videoFile.options.parse(options) as never, context);
  return { frames, context };
}

test('reads every frame of a file and completes', async () => {
  const { frames, context } = await open({ path: 'ball.mkv' });
  const all = await lastValueFrom(frames.pipe(toArray()));
  await context.close();
  expect(all).toHaveLength(60);
  expect(all.map((frame) => frame.seq)).toEqual(all.map((_, i) => i));
  expect(all[0]).toMatchObject({ kind: 'image', width: 64, height: 48, format: 'rgb' });
  expect(all[59]!.pts - all[0]!.pts).toBeGreaterThan(1_900_000_000n);
  expect(context.drops.size).toBe(0);
});

test('loops with rising pts', async () => {
  const { frames, context } = await open({ path: 'ball.mkv', loop: true });
  const all = await lastValueFrom(frames.pipe(take(250), toArray()));
  await context.close();
  for (let i = 1; i < all.length; i++) expect(all[i]!.pts).toBeGreaterThan(all[i - 1]!.pts);
  expect(context.counts.restarts).toEqual([]);
});
