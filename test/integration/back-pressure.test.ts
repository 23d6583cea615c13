import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { makeVideo, until } from '../support/gstreamer.ts';

const frames = 60;
let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-'));
  path = join(folder, 'video.mkv');
  makeVideo(path, { frames });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Waits for a frame. */
type Pace = (fast: readonly number[]) => Promise<void>;

function sink(seen: number[], pace: () => Promise<void> = async () => {}) {
  return defineSink({
    name: 'paced',
    summary: 'Takes its time.',
    accepts: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({
      async write(frame) {
        await pace();
        seen.push(frame.seq);
      },
    }),
  })({});
}

async function run(queue: Partial<QueueOptions>, pace: Pace) {
  const fast: number[] = [];
  const slow: number[] = [];
  const pipeline = definePipeline({
    source: videoFile({ path }),
    sinks: [
      { name: 'fast', sink: sink(fast) },
      { name: 'slow', sink: sink(slow, () => pace(fast)), queue },
    ],
  });
  const summary = await runPipeline(pipeline);
  const branch = (name: string) => summary.branches.find((one) => one.name === name);
  expect(summary.branches.map(imbalance)).toEqual([0, 0]);
  expect(summary.captured).toBe(frames);
  return { fast, slow, ledger: branch('slow') };
}

const every = Array.from({ length: frames }, (_, seq) => seq);

describe('a sink slower than the video file before it', () => {
  it('with block gets every frame, and the file waits', async () => {
    const { fast, slow, ledger } = await run({ whenFull: 'block' }, () => sleep(15));
    expect(slow).toEqual(every);
    expect(fast).toEqual(every);
    expect(ledger?.dropped).toEqual([]);
  });

  it('with drop-oldest misses frames, which are counted, and the other sink does not', async () => {
    // However long the file takes, the slow one has its first frame until all have come.
    const slowest: Pace = (before) => until(() => before.length === frames);
    const { fast, slow, ledger } = await run({ whenFull: 'drop-oldest', limit: 2 }, slowest);
    expect(fast).toEqual(every);
    expect(slow.length).toBeLessThan(frames);
    // The newest are kept.
    expect(slow.at(-1)).toBe(frames - 1);
    expect(ledger?.dropped).toEqual([
      { stage: 'slow queue', reason: 'queue full', count: frames - slow.length },
    ]);
  });
});
