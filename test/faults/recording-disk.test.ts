import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { definePipeline, type OnError } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { video } from '../../src/sinks/video.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { until } from '../support/gstreamer.ts';
import { processesOf } from '../support/processes.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { decodeVideo } from '../support/video.ts';

const diskKiB = 2048;
const cleaning: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleaning.splice(0).reverse()) clean();
});

/** A camera that is recorded on a disk that is full for a while. */
async function record(onError: OnError) {
  const disk = smallDisk(diskKiB);
  cleaning.push(() => disk.remove());
  const filler = join(disk.path, 'filler');
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
  const pipeline = definePipeline({
    source: testPattern({ width: 64, height: 48, fps: 50, realtime: true, pattern: 'snow' }),
    sinks: [
      {
        sink: video({ path: join(disk.path, 'clip.mkv'), codec: 'mjpeg', quality: 20 }),
        onError,
        queue: { limit: 1, whenFull: 'drop-oldest' },
      },
      { sink: discard(), name: 'other' },
    ],
  });
  const run = await startPipeline(pipeline, { log });
  let over = false;
  void run.done.then(() => {
    over = true;
  });
  const branch = (name: string) => run.stats().branches.find((account) => account.name === name);
  const delivered = (name: string) => branch(name)?.delivered ?? 0;
  await until(() => delivered('video') > 10);
  try {
    writeFileSync(filler, Buffer.alloc(diskKiB * 1024));
  } catch {
    // It took what there was room for.
  }
  const full = () => warnings.some((warning) => /not written.* is full/.test(warning));
  await until(() => over || full(), 30_000);
  const others = delivered('other');
  if (!over) await until(() => delivered('other') > others + 20);
  rmSync(filler);
  const before = delivered('video');
  if (!over) await until(() => delivered('video') > before + 10, 30_000);
  run.stop();
  const summary = await run.done;
  expect(summary.branches.map(imbalance)).toEqual([0, 0]);
  expect(processesOf('output-host')).toEqual([]);
  const [account] = summary.branches;
  const files = readdirSync(disk.path).filter((name) => name.endsWith('.mkv'));
  const frames = files.map((name) => decodeVideo(join(disk.path, name)).pts.length);
  return { summary, account, warnings, files, frames: frames.reduce((a, b) => a + b, 0) };
}

describe.skipIf(!canMount)('a video on a disk that is full for a while', () => {
  it('with on-error: fail ends the run with what to do', async () => {
    const { summary, account, files, frames } = await record('fail');
    expect(summary.error).toMatchObject({ code: 'SINK', at: 'sinks[0] video' });
    expect(summary.error?.message).toMatch(/^the disk of .* is full; free space/);
    expect(files).toEqual(['clip.recording.mkv']);
    expect(account?.delivered).toBe(frames);
  });

  it.each(['skip', 'retry'] as const)(
    'with on-error: %s goes on in a new file when there is room, and nothing is counted that is not there',
    async (onError) => {
      const { summary, account, files, frames } = await record(onError);
      expect(summary.error).toBeUndefined();
      expect(files).toContain('clip.recording.mkv');
      expect(files.length).toBeGreaterThanOrEqual(2);
      expect(account?.delivered).toBe(frames);
    },
  );
});
