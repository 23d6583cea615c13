import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { definePipeline, type OnError } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { video } from '../../src/sinks/video.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { until } from '../support/gstreamer.ts';
import { fullDisk, type Place, removedDirectory } from '../support/harmed-place.ts';
import { processesOf } from '../support/processes.ts';
import { canMount } from '../support/small-disk.ts';
import { decodeVideo } from '../support/video.ts';

const diskKiB = 2048;

/** A camera that is recorded in a place that cannot be written for a while. */
async function record({ directory, harm, mend, problem }: Place, onError: OnError) {
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
  const pipeline = definePipeline({
    source: testPattern({ width: 64, height: 48, fps: 50, realtime: true, pattern: 'snow' }),
    sinks: [
      {
        sink: video({ path: join(directory, 'clip.mkv'), codec: 'mjpeg', quality: 20 }),
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
  harm();
  const failing = () => warnings.some((text) => /not written/.test(text) && problem.test(text));
  await until(() => over || failing());
  const others = delivered('other');
  await until(() => over || delivered('other') > others + 20);
  mend();
  const before = delivered('video');
  await until(() => over || delivered('video') > before + 10);
  run.stop();
  const summary = await run.done;
  expect(summary.branches.map(imbalance)).toEqual([0, 0]);
  expect(processesOf('output-host')).toEqual([]);
  const [account] = summary.branches;
  const files = readdirSync(directory).filter((name) => name.endsWith('.mkv'));
  const frames = files.map((name) => decodeVideo(join(directory, name)).pts.length);
  return { summary, account, warnings, files, frames: frames.reduce((a, b) => a + b, 0) };
}

describe.each([
  ...(canMount ? ([['a disk that is full', () => fullDisk(diskKiB)]] as const) : []),
  ['a directory that is removed', removedDirectory] as const,
])('a video on %s for a while', (_, make) => {
  it('with on-error: fail ends the run with what to do', async () => {
    const place = make();
    const { summary, account, files, frames } = await record(place, 'fail');
    expect(summary.error).toMatchObject({ code: 'SINK', at: 'sinks[0] video' });
    expect(summary.error?.message).toMatch(place.problem);
    expect(files).toEqual(place.keeps ? ['clip.recording.mkv'] : []);
    expect(account?.delivered).toBe(frames);
  });

  it.each(['skip', 'retry'] as const)(
    'with on-error: %s goes on in a new file, and nothing is counted that is not there',
    async (onError) => {
      const place = make();
      const { summary, account, files, frames } = await record(place, onError);
      expect(summary.error).toBeUndefined();
      if (place.keeps) expect(files).toContain('clip.recording.mkv');
      expect(files.length).toBeGreaterThanOrEqual(place.keeps ? 2 : 1);
      expect(account?.delivered).toBe(frames);
    },
  );
});
