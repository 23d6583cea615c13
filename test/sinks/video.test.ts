import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sink } from '../../src/core/component.ts';
import { entryPoint } from '../../src/core/entry-point.ts';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { video } from '../../src/sinks/video.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { isRunning, until } from '../support/gstreamer.ts';
import { processesOf } from '../support/processes.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { decodeVideo } from '../support/video.ts';

let directory: string;
let context: TestContext;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'video-'));
});
afterEach(async () => {
  await context?.close();
  expect(processesOf('output-host')).toEqual([]);
  rmSync(directory, { recursive: true });
});

async function open(options: Record<string, unknown>): Promise<Sink> {
  context = testContext({ baseDirectory: directory });
  const sink = await video.create(video.options.parse({ path: 'clip.mkv', ...options }), context);
  return sink as Sink;
}

const frames = (n: number, width = 64, height = 48): ImageFrame[] =>
  Array.from({ length: n }, (_, i) => imageFrame(width, height, i + 100));

async function record(options: Record<string, unknown>, all: readonly Frame[]): Promise<void> {
  const sink = await open(options);
  for (const frame of all) await sink.write(frame);
  await context.close();
}

const decoded = (path = 'clip.mkv') => decodeVideo(join(directory, path));
const problem = (options: Record<string, unknown>) =>
  video.options.safeParse({ path: 'a.mkv', ...options }).error?.issues[0]?.message;

describe('a recording', () => {
  test.each([
    ['a.mkv', 'auto', 'x264enc'],
    ['b.mp4', 'auto', 'x264enc'],
    ['c.mkv', 'mjpeg', 'jpegenc'],
    ['d.mkv', 'vp8', 'vp8enc'],
  ])('%s with codec %s holds every frame at its time', async (path, codec, encoder) => {
    await record({ path, codec }, frames(30));
    expect(context.report()).toEqual({ path: join(directory, path), frames: 30, encoder });
    const { width, height, pts, seconds } = decoded(path);
    expect([width, height, pts.length]).toEqual([64, 48, 30]);
    expect(seconds).toBeCloseTo(1, 1);
    for (const [i, at] of pts.entries()) expect(Math.abs(at - i / 30)).toBeLessThan(0.002);
    expect(readdirSync(directory)).toEqual([path]);
  });

  test('keeps gaps in the frames’ times', async () => {
    const all = frames(30).filter((_, i) => i < 5 || i > 20);
    await record({}, all);
    expect(decoded().pts.map((at) => Math.round(at * 30))).toEqual([
      0, 1, 2, 3, 4, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    ]);
  });

  test('plays at the rate that fps says', async () => {
    await record({ path: 'slow.mp4', fps: 10 }, frames(12));
    const { pts, seconds } = decoded('slow.mp4');
    expect(pts).toHaveLength(12);
    expect(seconds).toBeCloseTo(1.2, 2);
  });

  test('of one frame', async () => {
    await record({}, frames(1));
    expect(decoded().pts).toHaveLength(1);
  });

  test('of no frame leaves no file', async () => {
    await record({}, []);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of an odd size gets a black column and row', async () => {
    await record({}, frames(5, 33, 27));
    const { width, height, pts } = decoded();
    expect([width, height, pts.length]).toEqual([34, 28, 5]);
  });

  test('shows the pictures that went in, whatever their row length', async () => {
    const red = imageFrame(34, 18, 0, (x) => (x < 17 ? [250, 10, 10] : [10, 10, 250]));
    const all = Array.from({ length: 3 }, (_, seq) => ({
      ...red,
      ...imageFrame(34, 18, seq),
      data: red.data,
    }));
    await record({ codec: 'mjpeg', quality: 95 }, all);
    const { firstRgb } = decoded();
    const at = (x: number, y: number) => [
      ...firstRgb.subarray((y * 34 + x) * 3, (y * 34 + x) * 3 + 3),
    ];
    for (const y of [1, 9, 16]) {
      expect(at(4, y)[0]).toBeGreaterThan(200);
      expect(at(4, y)[2]).toBeLessThan(60);
      expect(at(30, y)[0]).toBeLessThan(60);
      expect(at(30, y)[2]).toBeGreaterThan(200);
    }
  });

  test('takes RGBA pictures and depth', async () => {
    const rgba = frames(3).map((frame) => ({
      ...frame,
      format: 'rgba' as const,
      data: new Uint8Array(64 * 48 * 4).fill(200),
    }));
    await record({ path: 'rgba.mkv' }, rgba);
    expect(decoded('rgba.mkv').pts).toHaveLength(3);
    const depth = [0, 1, 2].map((seq) => depthFrame(64, 48, seq, (x) => 1 + x / 10));
    await record({ path: 'depth.mkv', colormap: 'grey', min: 1, max: 8 }, depth);
    const { firstRgb } = decoded('depth.mkv');
    expect(firstRgb[3 * 2]).toBeGreaterThan(firstRgb[3 * 60] as number);
  });

  test('takes its name only when it is complete, and an earlier file’s place', async () => {
    writeFileSync(join(directory, 'clip.mkv'), 'earlier');
    const sink = await open({});
    for (const frame of frames(10)) await sink.write(frame);
    expect(readdirSync(directory).sort()).toEqual(['clip.mkv', 'clip.recording.mkv']);
    expect(decodes(join(directory, 'clip.mkv'))).toBe(false);
    await context.close();
    expect(readdirSync(directory)).toEqual(['clip.mkv']);
    expect(decoded().pts).toHaveLength(10);
  });

  test('makes its directory', async () => {
    await record({ path: 'new/deep/clip.mkv' }, frames(3));
    expect(existsSync(join(directory, 'new/deep/clip.mkv'))).toBe(true);
  });
});

function decodes(path: string): boolean {
  try {
    return decodeVideo(path).pts.length > 0;
  } catch {
    // gst-launch-1.0 has failed on it.
    return false;
  }
}

describe('when something dies', () => {
  test('a crash of the encoder process is told, and what was recorded can be played', async () => {
    const sink = await open({});
    for (const frame of frames(60)) await sink.write(frame);
    const [pid] = processesOf('output-host') as [number];
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
    const late = sink.write(imageFrame(64, 48, 300));
    await expect(late).rejects.toMatchObject({
      code: 'SINK',
      message: expect.stringMatching(
        /video "clip\.mkv": its GStreamer process ended.*clip\.recording\.mkv and can be played/,
      ),
    });
    await expect(sink.write(imageFrame(64, 48, 301))).rejects.toThrow(/process ended/);
    await context.close();
    expect(readdirSync(directory)).toEqual(['clip.recording.mkv']);
    expect(decoded('clip.recording.mkv').pts.length).toBeGreaterThan(30);
  });

  test('a crash that no frame noticed is told at the end', async () => {
    const sink = await open({ path: 'clip.mp4' });
    for (const frame of frames(5)) await sink.write(frame);
    const [pid] = processesOf('output-host') as [number];
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
    await expect(context.close()).rejects.toThrow(/cannot be played; record to \.mkv/);
  });

  test('a parent that is killed leaves a complete file and no process', async () => {
    const parent = await recordInAnotherProcess();
    const hosts = processesOf('output-host', parent.pid);
    expect(hosts).toHaveLength(1);
    parent.kill('SIGKILL');
    await until(() => !isRunning(hosts[0] as number));
    expect(readdirSync(directory)).toEqual(['clip.mp4']);
    expect(decoded('clip.mp4').pts).toHaveLength(20);
  });

  test('Ctrl-C, which reaches the whole group, does not end the encoder', async () => {
    const sink = await open({});
    for (const frame of frames(5)) await sink.write(frame);
    process.kill((processesOf('output-host') as [number])[0], 'SIGINT');
    for (const frame of frames(5)) await sink.write({ ...frame, pts: frame.pts + 200_000_000n });
    await context.close();
    expect(decoded().pts).toHaveLength(10);
  });

  async function recordInAnotherProcess(): Promise<ChildProcess> {
    const script = join(directory, 'parent.mjs');
    const sink = entryPoint(new URL('../../src/sinks/x.ts', import.meta.url).href, './video').href;
    writeFileSync(
      script,
      `import { video } from ${JSON.stringify(sink)};
const context = { baseDirectory: ${JSON.stringify(directory)}, defer() {}, summary() {} };
const sink = await video.create(video.options.parse({ path: 'clip.mp4' }), context);
const data = new Uint8Array(64 * 48 * 3);
for (let seq = 0; seq < 20; seq++) {
  const pts = BigInt(seq) * 33_333_333n;
  await sink.write({ kind: 'image', seq, pts, width: 64, height: 48, format: 'rgb', data });
}
process.send('recorded');`,
    );
    const child = fork(script, { execArgv: [] });
    await new Promise((resolve) => child.once('message', resolve));
    rmSync(script);
    return child;
  }
});

describe('bad input', () => {
  test('a frame of another size', async () => {
    const sink = await open({});
    await sink.write(imageFrame(64, 48, 0));
    await expect(sink.write(imageFrame(32, 48, 1))).rejects.toThrow(
      /began with 64×48 rgb, frame 1 is 32×48 rgb; put a resize before it/,
    );
  });

  test.skipIf(!canMount)('a full disk', async () => {
    const disk = smallDisk();
    try {
      const sink = await open({ path: join(disk.path, 'clip.mkv'), codec: 'mjpeg', quality: 100 });
      const noise = (seq: number) =>
        imageFrame(128, 96, seq, (x, y) => [
          (x * y * 31) & 255,
          (x * 57 + seq * y) & 255,
          (x ^ y) & 255,
        ]);
      const writing = async () => {
        for (let seq = 0; seq < 60; seq++) await sink.write(noise(seq));
      };
      await expect(writing()).rejects.toMatchObject({
        code: 'SINK',
        message: expect.stringMatching(/^the disk of .*small-disk.* is full; free space/),
      });
      await context.close();
    } finally {
      disk.remove();
    }
  });

  test('a path that is a directory, or under a file', async () => {
    mkdirSync(join(directory, 'clip.mkv'));
    await expect(open({})).rejects.toThrow(/clip\.mkv is a directory; give the file another name/);
    writeFileSync(join(directory, 'file'), '');
    await expect(open({ path: 'file/clip.mkv' })).rejects.toThrow(/file is not a directory/);
  });

  test('options that contradict each other', () => {
    expect(problem({ path: 'a.avi' })).toBe('must end in .mkv or .mp4');
    expect(problem({ path: 'a.mp4', codec: 'vp8' })).toMatch(/\.mp4 holds h264 only/);
    expect(problem({ codec: 'mjpeg', bitrate: 500 })).toMatch(/mjpeg has no bitrate/);
    expect(problem({ min: 3, max: 2 })).toBe('min (3) must be less than max (2)');
  });

  test('examples validate', () => {
    for (const example of video.examples)
      expect(video.options.safeParse(example).success).toBe(true);
  });
});
