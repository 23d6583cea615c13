import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { definePipeline, type OnError } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { mcap } from '../../src/sinks/mcap.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { until } from '../support/gstreamer.ts';
import { fullDisk, type Place, removedDirectory } from '../support/harmed-place.ts';
import { streamMcap } from '../support/mcap.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';

const diskKiB = 4096;

/** A camera that is recorded in a place that cannot be written for a while. */
async function record({ directory, harm, mend, problem }: Place, onError: OnError) {
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
  const pipeline = definePipeline({
    source: testPattern({ width: 64, height: 48, fps: 50, realtime: true }),
    sinks: [
      {
        sink: mcap({ path: join(directory, 'run.mcap'), chunk: '20kB', compression: 'none' }),
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
  await until(() => delivered('mcap') > 10);
  harm();
  const failing = () => warnings.some((text) => /not written/.test(text) && problem.test(text));
  await until(() => over || failing());
  const others = delivered('other');
  await until(() => over || delivered('other') > others + 20);
  mend();
  const before = delivered('mcap');
  await until(() => over || delivered('mcap') > before + 10);
  run.stop();
  const summary = await run.done;
  expect(summary.branches.map(imbalance)).toEqual([0, 0]);
  const [account] = summary.branches;
  const files = readdirSync(directory).filter((name) => name.endsWith('.mcap'));
  let frames = 0;
  for (const name of files) {
    const { topics } = await streamMcap(join(directory, name));
    frames += topics.get('/camera/depthline/frame') ?? 0;
  }
  return { summary, account, warnings, files, frames };
}

describe.each([
  ...(canMount ? ([['a disk that is full', () => fullDisk(diskKiB)]] as const) : []),
  ['a directory that is removed', removedDirectory] as const,
])('a recording on %s for a while', (_, make) => {
  it('with on-error: fail ends the run with what to do', async () => {
    const place = make();
    const { summary, account, files, frames } = await record(place, 'fail');
    expect(summary.error).toMatchObject({ code: 'SINK', at: 'sinks[0] mcap' });
    expect(summary.error?.message).toMatch(place.problem);
    expect(files).toHaveLength(place.keeps ? 1 : 0);
    expect(account?.delivered).toBe(frames);
  });

  it.each(['skip', 'retry'] as const)(
    'with on-error: %s goes on, and nothing is counted that is not there',
    async (onError) => {
      const place = make();
      const { summary, account, files, frames } = await record(place, onError);
      expect(summary.error).toBeUndefined();
      expect(files).toEqual(['run.mcap']);
      expect(account?.delivered).toBe(frames);
      expect(account?.failed ?? 0).toBeGreaterThanOrEqual(
        place.keeps && onError === 'retry' ? 0 : 1,
      );
    },
  );
});

describe.runIf(canMount)('a disk that is full at the end of the run', () => {
  it('says which frames are lost, and leaves a file that can be recovered', async () => {
    const disk = smallDisk(diskKiB);
    onTestFinished(() => disk.remove());
    const pipeline = definePipeline({
      source: testPattern({ width: 64, height: 48, fps: 50, realtime: true }),
      sinks: [
        {
          sink: mcap({ path: join(disk.path, 'run.mcap'), chunk: '100kB', compression: 'none' }),
          onError: 'skip',
        },
      ],
    });
    const run = await startPipeline(pipeline);
    const delivered = () => run.stats().branches[0]?.delivered ?? 0;
    await until(() => delivered() > 30);
    // Some frames after a chunk was written and long before the next: the disk is full when the last is.
    const size = () => statSync(join(disk.path, 'run.recording.mcap')).size;
    const written = size();
    await until(() => size() > written);
    const before = delivered();
    await until(() => delivered() > before + 1);
    disk.fill();
    run.stop();
    const summary = await run.done;
    expect(summary.branches.map(imbalance)).toEqual([0]);
    const { topics } = await streamMcap(join(disk.path, 'run.recording.mcap'));
    expect(summary.branches[0]?.delivered).toBe(topics.get('/camera/depthline/frame'));
    expect(summary.error?.message).toMatch(/the disk of .* is full/);
  });
});
