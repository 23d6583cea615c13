import { type ChildProcess, fork } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

  test('continues where the times of frames begin again', async () => {
    await record({}, [...frames(40), ...frames(40)]);
    const { pts } = decoded();
    expect(pts).toHaveLength(80);
    for (const [i, at] of pts.entries()) expect(Math.abs(at - i / 30)).toBeLessThan(0.002);
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

  test('takes its name only when it is complete', async () => {
    const sink = await open({});
    for (const frame of frames(10)) await sink.write(frame);
    expect(readdirSync(directory)).toEqual(['clip.recording.mkv']);
    await context.close();
    expect(readdirSync(directory)).toEqual(['clip.mkv']);
    expect(decoded().pts).toHaveLength(10);
  });

  test('makes its directory', async () => {
    await record({ path: 'new/deep/clip.mkv' }, frames(3));
    expect(existsSync(join(directory, 'new/deep/clip.mkv'))).toBe(true);
  });
});

const text = (name: string) => readFileSync(join(directory, name), 'utf8');
const earlier = (...names: string[]) => {
  for (const name of names) writeFileSync(join(directory, name), `earlier ${name}`);
};

describe('earlier recordings', () => {
  test('append, the default, keeps them and numbers this one', async () => {
    earlier('clip.mkv', 'clip-7.recording.mkv', 'clip-other.mkv', 'clip-20260101.mkv');
    await record({}, frames(10));
    expect(decoded('clip-8.mkv').pts).toHaveLength(10);
    expect(context.report()).toMatchObject({ path: join(directory, 'clip-8.mkv'), frames: 10 });
    expect(context.logs).toContainEqual({
      level: 'warn',
      message: 'clip-7.recording.mkv was interrupted in an earlier run; it is kept',
    });
    await record({}, frames(5));
    expect(decoded('clip-9.mkv').pts).toHaveLength(5);
    for (const name of ['clip.mkv', 'clip-7.recording.mkv'])
      expect(text(name)).toBe(`earlier ${name}`);
    expect(context.logs).toEqual([
      { level: 'info', message: 'earlier recordings exist; this one is clip-9.mkv' },
    ]);
  });

  test('reports an interrupted one whose name is a time', async () => {
    const capturedAt = BigInt(new Date('2026-03-01T09:05:07').getTime()) * 1_000_000n;
    earlier('clip-2026.recording.mkv');
    await record(
      { path: 'clip-%Y.mkv' },
      frames(3).map((frame) => ({ ...frame, capturedAt })),
    );
    expect(context.logs).toEqual([
      {
        level: 'warn',
        message: 'clip-2026.recording.mkv was interrupted in an earlier run; it is kept',
      },
    ]);
    expect(decoded('clip-2026-2.mkv').pts).toHaveLength(3);
  });

  test('replace replaces the one of this name, and only when the new one is complete', async () => {
    earlier('clip.mkv', 'clip-2.mkv');
    const sink = await open({ existing: 'replace' });
    for (const frame of frames(10)) await sink.write(frame);
    expect(text('clip.mkv')).toBe('earlier clip.mkv');
    await context.close();
    expect(readdirSync(directory).sort()).toEqual(['clip-2.mkv', 'clip.mkv']);
    expect(decoded().pts).toHaveLength(10);
  });

  test('replace replaces no link', async () => {
    earlier('film.mkv');
    symlinkSync('film.mkv', join(directory, 'clip.mkv'));
    await expect(open({ existing: 'replace' })).rejects.toThrow(/clip\.mkv .*not a regular file/);
    expect(text('clip.mkv')).toBe('earlier film.mkv');
  });

  test.each(['clip.mkv', 'clip-2.mkv', 'clip.recording.mkv'])('fail refuses %s', async (name) => {
    earlier(name);
    await expect(open({ existing: 'fail' })).rejects.toThrow(
      /exists; choose another path, put the/,
    );
    expect(readdirSync(directory)).toEqual([name]);
  });

  test('a name that is taken while it is recorded is not replaced', async () => {
    const sink = await open({});
    for (const frame of frames(5)) await sink.write(frame);
    earlier('clip.mkv', 'clip-2.mkv');
    await context.close();
    expect(decoded('clip-3.mkv').pts).toHaveLength(5);
    expect(text('clip.mkv')).toBe('earlier clip.mkv');
  });

  test('time fields are those of the first frame’s capture', async () => {
    const capturedAt = BigInt(new Date('2026-03-01T09:05:07').getTime()) * 1_000_000n;
    const all = frames(5).map((frame, i) => ({
      ...frame,
      capturedAt: capturedAt + BigInt(i) * 3_600_000_000_000n,
    }));
    await record({ path: 'out/%Y-%m-%d/%H%M%S.mkv', existing: 'fail' }, all);
    expect(decoded('out/2026-03-01/090507.mkv').pts).toHaveLength(5);
    const again = await open({ path: 'out/%Y-%m-%d/%H%M%S.mkv', existing: 'fail' });
    await expect(again.write(all[0] as Frame)).rejects.toThrow(/090507\.mkv or another recording/);
  });

  test('two at once: the second says so', async () => {
    await open({});
    const first = context;
    await expect(open({})).rejects.toThrow(/is in use: another run or sink writes clip\.mkv/);
    await context.close();
    context = first;
  });
});

describe('when something dies', () => {
  const kill = async (): Promise<void> => {
    const [pid] = processesOf('output-host') as [number];
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
  };

  test.each(['mkv', 'mp4'])(
    'a new %s file follows a crash of the encoder process',
    async (ending) => {
      const sink = await open({ path: `clip.${ending}` });
      const all = frames(90);
      for (const frame of all.slice(0, 60)) await sink.write(frame);
      await kill();
      for (const frame of all.slice(60)) await sink.write(frame);
      await context.close();
      const names = [`clip-2.${ending}`, `clip.recording.${ending}`];
      expect(readdirSync(directory).sort()).toEqual(names);
      expect(decoded(names[0]).pts).toHaveLength(30);
      const playable = ending === 'mkv' ? decoded(names[1]).pts.length : 0;
      expect(playable).toBeGreaterThanOrEqual(ending === 'mkv' ? 30 : 0);
      // Every frame is in a file that can be played, or it is not delivered.
      expect(context.counts.undelivered).toBe(60 - playable);
      expect(context.report()).toMatchObject({ frames: 30 + playable });
      expect(context.counts.restarts).toHaveLength(1);
      expect(context.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /^clip\.recording\.\w+ was interrupted; \d+ of its 60 frames can be played$/,
        ),
        expect.stringMatching(/^the encoder process was restarted: video "clip/),
      ]);
    },
  );

  test('a process that crashes before anything is recorded leaves no file', async () => {
    const sink = await open({});
    await sink.write(imageFrame(64, 48, 0));
    await kill();
    for (const frame of frames(5)) await sink.write(frame);
    await context.close();
    expect(readdirSync(directory)).toEqual(['clip.mkv']);
    expect(context.counts.undelivered).toBe(1);
  });

  test('a process that crashes again and again is given up', async () => {
    const sink = await open({});
    let over = false;
    const killed = new Set<number>();
    const killing = (async () => {
      while (!over) {
        const [pid] = processesOf('output-host');
        if (pid !== undefined && isRunning(pid)) {
          killed.add(pid);
          process.kill(pid, 'SIGKILL');
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await expect(sink.write(imageFrame(64, 48, 0))).rejects.toMatchObject({
      name: 'SinkLost',
      message: expect.stringMatching(/process ended.*given up after 5 restarts in a row/),
    });
    over = true;
    await killing;
    // Each restart was a process of its own.
    expect(killed.size).toBe(6);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('no process is started once the run has ended', async () => {
    const sink = await open({});
    await sink.write(imageFrame(64, 48, 0));
    const [pid] = processesOf('output-host') as [number];
    process.kill(pid, 'SIGKILL');
    const late = sink.write(imageFrame(64, 48, 1));
    context.abort();
    await Promise.all([
      expect(late).rejects.toMatchObject({ name: 'SinkLost' }),
      context.close().catch(() => {}),
    ]);
    expect(processesOf('output-host')).toEqual([]);
  });

  test('a crash that no frame noticed is told at the end, and nothing counts as delivered', async () => {
    const sink = await open({ path: 'clip.mp4' });
    for (const frame of frames(5)) await sink.write(frame);
    await kill();
    await expect(context.close()).rejects.toThrow(/cannot be played; record to \.mkv/);
    expect(context.counts.undelivered).toBe(5);
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

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s, which reaches the whole group, does not end the encoder',
    async (signal) => {
      const sink = await open({});
      for (const frame of frames(5)) await sink.write(frame);
      process.kill((processesOf('output-host') as [number])[0], signal);
      for (const frame of frames(5)) await sink.write({ ...frame, pts: frame.pts + 200_000_000n });
      await context.close();
      expect(decoded().pts).toHaveLength(10);
    },
  );

  async function recordInAnotherProcess(): Promise<ChildProcess> {
    const script = join(directory, 'parent.mjs');
    const sink = entryPoint('sinks/video').href;
    writeFileSync(
      script,
      `import { video } from ${JSON.stringify(sink)};
const log = { info() {}, warn() {} };
const clock = { now: () => 0 };
const context = { baseDirectory: ${JSON.stringify(directory)}, defer() {}, summary() {}, onAdjust() {}, log, clock };
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
    const replace = open({ existing: 'replace' });
    await expect(replace).rejects.toThrow(/clip\.mkv .*not a regular file; remove it, or choose/);
    await context.close();
    await record({}, frames(3));
    expect(decoded('clip-2.mkv').pts).toHaveLength(3);
    writeFileSync(join(directory, 'file'), '');
    await expect(open({ path: 'file/clip.mkv' })).rejects.toThrow(/file is not a directory/);
  });

  test('options that contradict each other', () => {
    expect(problem({ path: 'a.avi' })).toBe('must end in .mkv or .mp4');
    expect(problem({ path: '100%.mkv' })).toMatch(/unknown time field; .* %% for a percent sign/);
    expect(problem({ path: 'a.mp4', codec: 'vp8' })).toMatch(/\.mp4 holds h264 only/);
    expect(problem({ codec: 'mjpeg', bitrate: 500 })).toMatch(/mjpeg has no bitrate/);
    expect(problem({ min: 3, max: 2 })).toBe('min (3) must be less than max (2)');
  });

  test('examples validate', () => {
    for (const example of video.examples)
      expect(video.options.safeParse(example).success).toBe(true);
  });
});
