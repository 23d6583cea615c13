import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, Observable, take, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Frame, ImageFrame } from '../../../src/core/frame.ts';
import { restartSchema } from '../../../src/core/restart-budget.ts';
import { everyFrame } from '../../../src/gstreamer/capture/intake.ts';
import { ReplayCapture } from '../../../src/gstreamer/capture/replay-capture.ts';
import { capture } from '../../../src/gstreamer/capture/source.ts';
import { streamFd } from '../../../src/gstreamer/child-process.ts';
import { VirtualClock } from '../../../src/runtime/virtual-clock.ts';
import { gstreamer } from '../../../src/sources/gstreamer.ts';
import { testPattern } from '../../../src/sources/test-pattern.ts';
import { videoFile } from '../../../src/sources/video-file.ts';
import { type TestContext, testContext } from '../../support/context.ts';
import { captureHosts, isRunning, makeVideo, until } from '../../support/gstreamer.ts';

let directory: string;
let context: TestContext;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'capture-'));
  makeVideo(join(directory, 'clip.mkv'), { frames: 300 });
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(async () => {
  vi.unstubAllEnvs();
  await context.close();
  expect(captureHosts()).toEqual([]);
});

type Given = Record<string, unknown>;

function openFile(options: Given = {}): Promise<Observable<Frame>> {
  context = testContext({ baseDirectory: directory });
  return videoFile.create(videoFile.options.parse({ path: 'clip.mkv', ...options }), context);
}

function openPattern(options: Given): Promise<Observable<Frame>> {
  context = testContext();
  return testPattern.create(
    testPattern.options.parse({ width: 32, height: 24, ...options }),
    context,
  );
}

/** The frames of a run in which `act` was called at each frame. */
function collect(
  frames: Observable<Frame>,
  act: (all: ImageFrame[]) => void,
): Promise<ImageFrame[]> {
  const all: ImageFrame[] = [];
  return new Promise((resolve, reject) => {
    frames.subscribe({
      next(frame) {
        all.push(frame as ImageFrame);
        act(all);
      },
      error: reject,
      complete: () => resolve(all),
    });
  });
}

function expectRising(frames: readonly Frame[]) {
  for (let i = 1; i < frames.length; i++) {
    expect(frames[i]!.seq).toBeGreaterThan(frames[i - 1]!.seq);
    expect(frames[i]!.pts).toBeGreaterThan(frames[i - 1]!.pts);
  }
}

const pixels = (frame: ImageFrame) => Buffer.from(frame.data).toString('base64');

describe('a capture host that is killed', () => {
  test('is restarted, and a file goes on where it was', async () => {
    const whole = await collect(await openFile(), () => {});
    await context.close();
    const killed: number[] = [];
    const frames = await openFile();
    const all = await collect(frames, ({ length }) => {
      if (length !== 40 && length !== 150) return;
      const [pid] = captureHosts() as [number];
      killed.push(pid);
      process.kill(pid, 'SIGKILL');
    });
    expect(new Set(killed).size).toBe(2);
    expect(all).toHaveLength(300);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i));
    expectRising(all);
    expect(all.map(pixels)).toEqual(whole.map(pixels));
    expect(context.counts.restarts).toHaveLength(2);
    expect(context.counts.restarts[0]).toMatch(/killed by SIGKILL/);
    expect(context.logs.filter(({ level }) => level === 'warn')).toHaveLength(2);
    expect(context.drops.size).toBe(0);
  });

  test('is restarted, and a file whose PTS begin again in its middle gives each frame once', async () => {
    context = testContext();
    const part = (pattern: string) =>
      `videotestsrc pattern=${pattern} num-buffers=30 ! video/x-raw,format=RGB,width=320,height=240`;
    const launch = `${part('ball')} ! c. ${part('pinwheel')} ! c. concat name=c adjust-base=false`;
    const frames = await gstreamer.create(
      gstreamer.options.parse({ launch, live: false }),
      context,
    );
    const whole = await collect(frames, () => {});
    const all = await collect(frames, ({ length }) => {
      if (length === 45) process.kill(captureHosts()[0] as number, 'SIGKILL');
    });
    expect(context.counts.restarts).toHaveLength(1);
    expect(whole).toHaveLength(60);
    expect(all.map(pixels)).toEqual(whole.map(pixels));
    expectRising(all);
  });

  test('is restarted when it is a live source', async () => {
    const frames = await openPattern({ realtime: true, fps: 60 });
    const all = await collect(frames.pipe(take(60)), ({ length }) => {
      if (length === 20) process.kill(captureHosts()[0] as number, 'SIGKILL');
    });
    expectRising(all);
    expect(context.counts.restarts).toHaveLength(1);
  });

  test('ends the source when it keeps crashing, with the number of tries', async () => {
    const frames = await openPattern({ realtime: true, restart: { limit: 2 } });
    const run = collect(frames, () => {
      for (const pid of captureHosts()) process.kill(pid, 'SIGKILL');
    });
    await expect(run).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/killed by SIGKILL \(after 2 restarts\)/),
    });
  });
});

describe('a capture host that stalls', () => {
  test('is restarted', async () => {
    // A process that is merely slow does not stall: time passes only when the test says so.
    const clock = new VirtualClock();
    context = testContext({ baseDirectory: directory, clock });
    const options = { path: 'clip.mkv', restart: { 'stalled-after': '300ms' } };
    const frames = await videoFile.create(videoFile.options.parse(options), context);
    let stopped = false;
    const reading = collect(frames, ({ length }) => {
      if (length !== 100) return;
      process.kill(captureHosts()[0] as number, 'SIGSTOP');
      stopped = true;
    });
    await until(() => stopped);
    // What it had sent before is still read.
    for (; context.counts.restarts.length === 0; await setImmediate()) await clock.advance(100);
    const all = await reading;
    expect(all).toHaveLength(300);
    expectRising(all);
    expect(context.counts.restarts).toEqual([
      expect.stringMatching(/stalled: no frame for 300 ms/),
    ]);
  });

  test('before its first frame fails the source', async () => {
    context = testContext();
    const launch = 'videotestsrc is-live=true ! valve drop=true';
    const restart = { 'first-frame-within': '300ms' };
    const frames = await gstreamer.create(gstreamer.options.parse({ launch, restart }), context);
    await expect(lastValueFrom(frames)).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/no frame within 300 ms/),
    });
    expect(context.counts.restarts).toEqual([]);
  });
});

describe('the gate', () => {
  test('held: no further frame comes and none is lost', async () => {
    const frames = await openFile();
    const held: number[] = [];
    let seen = 0;
    const all = await collect(frames, ({ length }) => {
      seen = length;
      if (length !== 10 && length !== 200) return;
      context.gate.hold('test');
      // Long enough for a frame that was already asked for to arrive.
      setTimeout(() => {
        held.push(seen);
        context.gate.release('test');
      }, 100);
    });
    expect(held).toEqual([10, 200]);
    expect(all).toHaveLength(300);
    expect(context.drops.size).toBe(0);
  });

  test('held in front of a camera: what comes next is new, and the rest is counted', async () => {
    const frames = await openPattern({ realtime: true, fps: 50, frames: 100 });
    const all = await collect(frames, ({ length }) => {
      if (length % 10 !== 0) return;
      context.gate.hold('test');
      setTimeout(() => context.gate.release('test'), 130);
    });
    expectRising(all);
    const dropped = context.drops.get('at capture') ?? 0;
    expect(dropped).toBeGreaterThan(10);
    expect(all.length + dropped).toBe(100);
    // A frame that had waited for the gate would be 20 ms behind the one before.
    for (let i = 10; i < all.length; i += 10) {
      const gap = Number(all[i]!.pts - all[i - 1]!.pts) / 1e6;
      expect(gap).toBeGreaterThan(60);
    }
  });

  test('a camera whose frames are fetched in time loses none', async () => {
    const frames = await openPattern({ realtime: true, fps: 30, frames: 45 });
    const all = await collect(frames, () => {});
    expect(all.length + (context.drops.get('at capture') ?? 0)).toBe(45);
    for (const frame of all) {
      const expected = (BigInt(frame.seq) * 1_000_000_000n) / 30n;
      expect(
        Math.abs(
          Number(frame.pts - all[0]!.pts - expected + (BigInt(all[0]!.seq) * 1_000_000_000n) / 30n),
        ),
      ).toBeLessThan(2e6);
    }
  });
});

const twoPictures = `videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=32,height=24 ! gdppay ! fdsink fd=${streamFd}`;

/** Two pictures again and again, as of a video that is played in a loop. */
const looped = (onStart: () => void) => ({
  what: 'video "clip.mkv"',
  launchLine: () => {
    onStart();
    return twoPictures;
  },
  intake: everyFrame,
  restart: restartSchema.parse({}),
  loop: true,
});

describe('lifetime', () => {
  test('nothing runs before subscription, nothing after unsubscription', async () => {
    const frames = await openFile({ loop: true });
    // Its process is there, without a pipeline that runs.
    const [host] = captureHosts() as [number];
    const opened = readdirSync(`/proc/${host}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${host}/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(opened.filter((path) => path.endsWith('clip.mkv'))).toEqual([]);
    await firstValueFrom(frames);
    await context.close();
    expect(captureHosts()).toEqual([]);
  });

  test('nothing of a live source runs after unsubscription', async () => {
    const frames = await openPattern({ realtime: true });
    await firstValueFrom(frames);
    await context.close();
    expect(captureHosts()).toEqual([]);
  });

  test('the signal ends the stream', async () => {
    const frames = await openFile({ loop: true });
    const all = await collect(frames, ({ length }) => {
      if (length === 5) context.abort();
    });
    expect(all).toHaveLength(5);
  });

  test('a file whose end is being looked at is not played again after unsubscription', async () => {
    context = testContext();
    let starts = 0;
    let tell: ((facts: undefined) => void) | undefined;
    const options = {
      ...looped(() => starts++),
      inspect: () =>
        new Promise<undefined>((resolve) => {
          tell = resolve;
        }),
    };
    const reading = capture('replay', options, context).subscribe();
    await until(() => tell !== undefined);
    reading.unsubscribe();
    tell?.(undefined);
    await setImmediate();
    expect(starts).toBe(1);
  });

  test('keeps nothing of the processes of earlier turns', async () => {
    context = testContext();
    let starts = 0;
    let over: Promise<unknown> | undefined;
    const options = looped(() => starts++);
    const reading = new Observable<Frame>((subscriber) => {
      const run = new ReplayCapture(options, context, subscriber);
      over = run.over;
      run.start();
      return () => run.stop();
    }).subscribe();
    await until(() => starts === 3);
    reading.unsubscribe();
    expect(await over).toBeUndefined();
  });

  test('can be subscribed to again', async () => {
    const frames = await openFile();
    expect(await lastValueFrom(frames.pipe(take(3), toArray()))).toHaveLength(3);
    expect(await lastValueFrom(frames.pipe(toArray()))).toHaveLength(300);
  });

  test('restarts leave no descriptor and no file behind', async () => {
    const frames = await openFile({ restart: { limit: 10, 'max-delay': '0ms' } });
    const temporary = mkdtempSync(join(directory, 'tmp-'));
    vi.stubEnv('TMPDIR', temporary);
    const descriptors: number[] = [];
    await collect(frames, ({ length }) => {
      // Later its process may have sent all, and be gone.
      if (length % 40 !== 0 || length > 240) return;
      descriptors.push(readdirSync('/proc/self/fd').length);
      process.kill(captureHosts()[0] as number, 'SIGKILL');
    });
    await context.close();
    expect(context.counts.restarts).toHaveLength(6);
    expect(Math.max(...descriptors)).toBeLessThanOrEqual((descriptors[0] as number) + 2);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('needs no temporary folder, so that the length of TMPDIR does not matter', async () => {
    vi.stubEnv('TMPDIR', join(directory, 'x'.repeat(100), 'missing'));
    const frames = await openPattern({ frames: 3 });
    expect(await lastValueFrom(frames.pipe(toArray()))).toHaveLength(3);
  });

  test('the host dies with its parent, even when that is killed', async () => {
    context = testContext();
    const script = join(directory, 'parent.mjs');
    const dist = new URL('../../../dist/', import.meta.url).href;
    writeFileSync(
      script,
      `import { CaptureProcess } from '${dist}gstreamer/capture/capture-process.js';
       import { launchLine } from '${dist}gstreamer/launch-line.js';
       const line = launchLine({ line: 'videotestsrc' }, [], { live: false }, ['cpu']);
       const host = new CaptureProcess(line);
       host.start({ onFrame() { console.log(host.pid); }, onDamaged() {}, onEnd() {} });
       host.stream.ask(1);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (text) => resolve(Number(text))),
    );
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isRunning(pid));
  });
});
