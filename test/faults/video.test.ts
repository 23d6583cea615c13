import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { gstreamer } from '../../src/sources/gstreamer.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { captureHosts, makeVideo } from '../support/gstreamer.ts';
import { collector } from '../support/parts.ts';

const frames = 40;
const [width, height] = [64, 48];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-video-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(source: Parameters<typeof definePipeline>[0]['source']) {
  const frames: Frame[] = [];
  const sink = collector(systemClock, { delivered: frames })({});
  const summary = await (await startPipeline(definePipeline({ source, sinks: [sink] }))).done;
  expect(summary.branches.map(imbalance)).toEqual([0]);
  expect(captureHosts()).toEqual([]);
  const delivered = frames as ImageFrame[];
  for (const frame of delivered) {
    // Of the size that its own picture says: where damage hits that, it is another one.
    expect(frame.kind).toBe('image');
    expect(frame.data).toHaveLength(frame.width * frame.height * 3);
  }
  return { summary, delivered };
}

/** Flips a bit in every `every`-th byte of the middle of a file, from a different one each time. */
function damage(bytes: Buffer, round: number): Buffer {
  const damaged = Buffer.from(bytes);
  const every = [3001, 907, 211, 37, 5][round] as number;
  for (let i = Math.floor(bytes.length / 4) + round; i < bytes.length; i += every) {
    damaged.writeUInt8((damaged[i] as number) ^ (1 << (i % 8)), i);
  }
  return damaged;
}

describe.each([
  ['JPEG', 'jpegenc ! matroskamux'],
  ['H.264', 'x264enc key-int-max=10 ! matroskamux'],
])('a %s video with flipped bits', (name, encode) => {
  it.each([0, 1, 2, 3, 4])('gives whole frames, and ends (damage %i)', async (round) => {
    const path = join(folder, `${name}.mkv`);
    if (round === 0) makeVideo(path, { frames, width, height, encode });
    const damaged = join(folder, `${name}-${round}.mkv`);
    writeFileSync(damaged, damage(readFileSync(path), round));
    const { summary, delivered } = await run(videoFile({ path: damaged }));
    // What the decoder can still make out comes; where it gives up, the run says so.
    if (summary.error) expect(summary.error).toMatchObject({ code: 'SOURCE' });
    else expect(delivered.length).toBeGreaterThan(0);
    expect(delivered.length).toBeLessThanOrEqual(frames);
  });
});

it.each([
  ['64×80', 5],
  ['80×48', 7],
])('a JPEG picture that says %s keeps its own size, the others theirs', async (damaged, offset) => {
  const path = join(folder, `${damaged}.mkv`);
  makeVideo(path, { frames, width, height, encode: 'jpegenc ! matroskamux' });
  const bytes = readFileSync(path);
  // Behind the marker of the frame header: length, precision, height, width (ITU T.81, B.2.2).
  const header = bytes.indexOf(Buffer.from('ffc0001108', 'hex'), Math.floor(bytes.length / 2));
  bytes.writeUInt16BE(80, header + offset);
  writeFileSync(path, bytes);
  const { summary, delivered } = await run(videoFile({ path }));
  expect(summary.error).toBeUndefined();
  const sizes = delivered.map((frame) => `${frame.width}×${frame.height}`);
  expect(sizes.filter((size) => size === '64×48')).toHaveLength(frames - 1);
  // The decoder shows the damaged one, or leaves it out.
  expect(['64×48', damaged]).toEqual(expect.arrayContaining([...new Set(sizes)]));
});

it('an element that fails each time in mid-stream ends the run with its reason, after the restarts', async () => {
  // Paced: frames that wait in the pipeline when it fails are lost, and without any the camera counts as missing.
  const launch = `videotestsrc is-live=true ! video/x-raw,format=RGB,width=${width},height=${height},framerate=100/1 ! identity error-after=20`;
  const { summary, delivered } = await run(gstreamer({ launch, restart: { limit: 5 } }));
  expect(summary.error).toMatchObject({ code: 'SOURCE' });
  expect(summary.error?.message).toMatch(/identity|error-after/i);
  expect(summary.error?.message).toMatch(/after 5 restarts/);
  expect(delivered.length).toBeGreaterThan(0);
});
