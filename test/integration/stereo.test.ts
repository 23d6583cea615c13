import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { DepthFrame, Frame, FrameKind, StereoFrame } from '../../src/core/frame.ts';
import { estimateStereo } from '../../src/operators/estimate-stereo.ts';
import { register } from '../../src/operators/register.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { gstreamer } from '../../src/sources/gstreamer.ts';
import { stereo } from '../../src/sources/stereo.ts';
import { syntheticRoom } from '../../src/sources/synthetic-room.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { captureHosts, isRunning, makeVideo, until } from '../support/gstreamer.ts';
import { feed, livePages, pointAt } from '../support/live-page.ts';

const { open, live } = livePages();

const folder = mkdtempSync(join(tmpdir(), 'pairs-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Source = ReturnType<typeof gstreamer> | ReturnType<typeof videoFile>;

function keeping(
  accepts: readonly FrameKind[],
  write: (frame: Frame) => Promise<void> | undefined,
) {
  const keep = defineSink({
    name: 'keep',
    summary: 'Keeps frames.',
    accepts,
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({ write }),
  });
  return keep();
}

/** Starts a run that keeps its pairs, and waits at the fifth one until it is let go. */
async function start(left: Source, right: Source) {
  const pairs: StereoFrame[] = [];
  let letGo = () => {};
  const promise = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const keep = keeping(['stereo'], (frame) => {
    pairs.push(frame as StereoFrame);
    return pairs.length === 5 ? promise : undefined;
  });
  const pipeline = definePipeline({
    source: stereo({ left, right, 'max-skew': '20ms' }),
    sinks: [{ sink: keep, queue: { limit: 4, whenFull: 'block' } }],
  });
  const run = await startPipeline(pipeline);
  await until(() => pairs.length >= 5);
  return { pairs, run, letGo };
}

async function killOne(): Promise<void> {
  const host = captureHosts().at(-1) as number;
  process.kill(host, 'SIGKILL');
  await until(() => !isRunning(host));
}

const red = ({ data }: { readonly data: Uint8Array }) => data[0] as number;

it('two cameras of GStreamer are paired; one is killed and comes back, and every frame is counted', async () => {
  const camera = (pattern: string) =>
    gstreamer({
      launch: `videotestsrc is-live=true pattern=${pattern} ! video/x-raw,width=64,height=48,framerate=30/1`,
    });
  const { pairs, run, letGo } = await start(camera('red'), camera('blue'));
  letGo();
  await killOne();
  const before = pairs.length;
  await until(() => captureHosts().length === 2 && pairs.length >= before + 10);
  run.stop();
  const summary = await run.done;
  expect(summary.error).toBeUndefined();
  expect(summary.restarts).toMatchObject([{ stage: 'stereo', count: 1 }]);
  for (const { left, right } of pairs) {
    expect(red(left)).toBeGreaterThan(200);
    expect(red(right)).toBeLessThan(50);
  }
  const branch = summary.branches[0]!;
  expect(imbalance(branch)).toBe(0);
  const alone = branch.dropped.find(({ reason }) => reason === 'no partner')?.count ?? 0;
  // Without its partner a camera goes on for as long as a capture process takes to start.
  expect(alone).toBeGreaterThan(0);
  const others = branch.dropped.reduce((sum, { count }) => sum + count, 0) - alone;
  expect(branch.captured).toBe(branch.delivered + alone + others);
  expect(captureHosts()).toEqual([]);
});

it('two video files lose no pair when the capture of one is killed', async () => {
  const frames = 90;
  const video = (name: string, pattern: string) => {
    const path = join(folder, name);
    makeVideo(path, { frames, pattern });
    return videoFile({ path });
  };
  const files = [video('left.mkv', 'red'), video('right.mkv', 'blue')] as const;
  const { pairs, run, letGo } = await start(...files);
  await killOne();
  letGo();
  const summary = await run.done;
  expect(summary.error).toBeUndefined();
  expect(summary.restarts).toMatchObject([{ stage: 'stereo', count: 1 }]);
  expect(pairs.map(({ seq }) => seq)).toEqual(Array.from({ length: frames }, (_, seq) => seq));
  expect(pairs.every(({ left, right }) => red(left) > 200 && red(right) < 50)).toBe(true);
  expect(summary.branches.map(imbalance)).toEqual([0]);
  expect(summary.branches[0]).toMatchObject({ captured: frames, delivered: frames, dropped: [] });
  expect(captureHosts()).toEqual([]);
});

it('what estimate-stereo gives is placed on the picture by register, and shown by the page', async () => {
  const frames: DepthFrame[] = [];
  const pipeline = definePipeline({
    source: syntheticRoom({
      ...{ seed: 900_004, width: 320, height: 240, frames: 2 },
      stereo: { baseline: 0.12 },
    }),
    operators: [estimateStereo({ image: 'source' }), register({})],
    sinks: [keeping(['depth'], (frame) => void frames.push(frame as DepthFrame))],
  });
  const summary = await (await startPipeline(pipeline)).done;
  expect(summary.error).toBeUndefined();
  const frame = frames[1] as DepthFrame;
  expect(frame).toMatchObject({ width: 320, height: 240, view: { left: 0, top: 0, width: 320 } });
  expect(frame.image).toMatchObject({ width: 320, height: 240 });
  // The network sees 224 of 240 rows.
  expect(frame.data.subarray(0, 7 * 320).every((metres) => !(metres > 0))).toBe(true);
  const truth = frame.truth!.data;
  const ratios = [...frame.data].flatMap((metres, i) => (metres > 0 ? metres / truth[i]! : []));
  expect(ratios.length).toBeGreaterThan(0.75 * frame.data.length);
  const near = ratios.filter((ratio) => ratio > 0.8 && ratio < 1.25);
  expect(near.length / ratios.length).toBeGreaterThan(0.85);

  const { sink, address } = await open();
  const page = await live(address);
  await feed(sink, page, (seq) => ({ ...frame, seq }));
  const place = [250, 120] as const;
  const metres = frame.data[place[1] * 320 + place[0]] as number;
  expect(await pointAt(page, place, frame)).toBe(`${metres.toFixed(2)} m`);
  expect(await pointAt(page, [160, 3], frame)).toBe('not measured');
});
