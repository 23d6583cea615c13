import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, type Observable, take, tap, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import type { Fusion } from '../../src/core/fusion.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { captureHosts, makeVideo } from '../support/gstreamer.ts';

let directory: string;
let context: TestContext;

const lossless = 'video/x-raw,format=RGB ! pngenc ! qtmux';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'video-file-'));
  makeVideo(join(directory, 'ball.mkv'), { frames: 60 });
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(async () => {
  await context?.close();
  expect(captureHosts()).toEqual([]);
});

async function open(options: Record<string, unknown>, fused: readonly Fusion[] = []) {
  context = testContext({ baseDirectory: directory, fused });
  return videoFile.create(videoFile.options.parse(options), context);
}

async function read(
  options: Record<string, unknown>,
  fused: readonly Fusion[] = [],
  count = Number.POSITIVE_INFINITY,
): Promise<ImageFrame[]> {
  const frames = await open(options, fused);
  const images = frames as Observable<ImageFrame>;
  return lastValueFrom(images.pipe(take(count), toArray()));
}

/** RGB at a pixel. */
function at(frame: ImageFrame, x: number, y: number): number[] {
  return [...frame.data.subarray((y * frame.width + x) * 3, (y * frame.width + x) * 3 + 3)];
}

describe('video-file', () => {
  test('gives every frame of a file and completes', async () => {
    const all = await read({ path: 'ball.mkv' });
    expect(all.map((frame) => frame.seq)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(all[0]).toMatchObject({
      kind: 'image',
      width: 64,
      height: 48,
      format: 'rgb',
      source: 'test',
    });
    expect(Number(all[59]!.pts - all[0]!.pts) / 1e9).toBeCloseTo(59 / 30, 2);
    expect(context.drops.size).toBe(0);
  });

  test('loops with rising pts', async () => {
    const all = await read({ path: 'ball.mkv', loop: true }, [], 250);
    for (let i = 1; i < all.length; i++) {
      expect(Number(all[i]!.pts - all[i - 1]!.pts) / 1e6).toBeCloseTo(1000 / 30, -1);
    }
    expect(Buffer.compare(all[0]!.data, all[120]!.data)).toBe(0);
    expect(context.counts.restarts).toEqual([]);
  });

  test('in real time takes the video’s time and counts what was not fetched', async () => {
    const since = performance.now();
    const all = await read({ path: 'ball.mkv', realtime: true });
    expect(performance.now() - since).toBeGreaterThan(1800);
    expect(all.length).toBeGreaterThan(30);
  });

  test.each([
    'with space.mkv',
    'qu"ote\'s.mkv',
    'ex!claim ! fakesrc.mkv',
    'ünï#50%.mkv',
    'back\\slash.mkv',
  ])('file name: %s', async (name) => {
    makeVideo(join(directory, 'plain.mkv'), { frames: 2 });
    const { renameSync } = await import('node:fs');
    renameSync(join(directory, 'plain.mkv'), join(directory, name));
    expect(await read({ path: name })).toHaveLength(2);
  });

  test.each([
    ['webm', 'vp8enc ! webmmux'],
    ['ogv', 'theoraenc ! oggmux'],
    ['avi', 'jpegenc ! avimux'],
    ['mov', 'jpegenc ! qtmux'],
  ])('container %s, of odd size', async (ending, encode) => {
    const path = join(directory, `odd.${ending}`);
    makeVideo(path, { frames: 5, width: 65, height: 49, encode });
    const all = await read({ path });
    expect(all).toHaveLength(5);
    expect([all[4]!.width, all[4]!.height]).toEqual([65, 49]);
    const to: Fusion = {
      do: 'resize',
      width: 33,
      height: 17,
      fit: 'crop',
      view: 4 / 3,
      on: 'auto',
    };
    const [small] = await read({ path }, [to]);
    expect([small!.width, small!.height]).toEqual([33, 17]);
  });

  test('that is played in real time goes on near where it was when its process is killed', async () => {
    const frames = (await open({ path: 'ball.mkv', realtime: true })) as Observable<ImageFrame>;
    let [seen, atKill] = [0, 0];
    // In the middle by its time: a busy machine may lose frames before.
    const killing = tap<ImageFrame>(({ pts }) => {
      seen++;
      if (atKill > 0 || pts < 1_000_000_000n) return;
      atKill = seen;
      process.kill(captureHosts()[0] as number, 'SIGKILL');
    });
    const all = await lastValueFrom(frames.pipe(killing, toArray()));
    expect(context.counts.restarts).toHaveLength(1);
    // What had been shown is not shown again, and the rest is not played at once.
    expect(all.length).toBeGreaterThan(atKill + 1);
    expect(all.length).toBeLessThanOrEqual(60);
    const steps = all.map(({ pts }, i) => Number(pts - (all[i - 1]?.pts ?? 0n)) / 1e6);
    for (const step of steps.slice(atKill + 1)) expect(step).toBeGreaterThan(15);
  });

  test('rows of 225 pixels come without padding', async () => {
    const size = { width: 225, height: 20, frames: 1, pattern: 'smpte75', encode: lossless };
    makeVideo(join(directory, 'odd.mov'), size);
    const [frame] = (await read({ path: 'odd.mov' })) as [ImageFrame];
    expect(frame.data).toHaveLength(225 * 20 * 3);
    // Vertical bars: each of the upper rows is the same as the first.
    for (let y = 1; y < 10; y++) {
      for (const x of [0, 100, 224]) expect(at(frame, x, y)).toEqual(at(frame, x, 0));
    }
  });

  test('a video with sound gives its pictures', async () => {
    const path = join(directory, 'sound.mkv');
    const line = `videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48 ! jpegenc ! mux. audiotestsrc num-buffers=30 ! mulawenc ! mux. matroskamux name=mux ! filesink location=${path}`;
    execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 60_000 });
    expect(await read({ path: 'sound.mkv' })).toHaveLength(20);
  });

  test('a rotation tag is honoured', async () => {
    const path = join(directory, 'turned.mov');
    makeVideo(path, { frames: 2, encode: 'jpegenc ! qtmux' });
    const bytes = readFileSync(path);
    // The track header's matrix, 44 bytes behind its name: 90 degrees clockwise.
    [0, 0x10000, 0, -0x10000, 0].forEach((value, i) => {
      bytes.writeInt32BE(value, bytes.indexOf('tkhd') + 44 + 4 * i);
    });
    writeFileSync(path, bytes);
    const [frame] = await read({ path });
    expect([frame!.width, frame!.height]).toEqual([48, 64]);
    // The source's picture is the upright one.
    const square: Fusion = { do: 'crop', region: { aspect: 1 } };
    const [cut] = await read({ path }, [square]);
    const view = { left: 0, top: 8, width: 48, height: 48, source: { width: 48, height: 64 } };
    expect(cut).toMatchObject({ width: 48, height: 48, view });
  });

  test('frames that are cropped and resized in the launch line say what they show', async () => {
    const intrinsics = { 'field-of-view': 90 };
    const fusions: Fusion[] = [
      { do: 'flip', axis: 'horizontal' },
      { do: 'crop', region: { left: 0, top: 8, width: 32, height: 32 } },
      { do: 'resize', width: 16, height: 16, fit: 'crop', on: 'cpu' },
    ];
    const [frame] = await read({ path: 'ball.mkv', intrinsics }, fusions);
    const view = { left: 32, top: 8, width: 32, height: 32, source: { width: 64, height: 48 } };
    expect(frame).toMatchObject({ width: 16, height: 16, view: { ...view, flip: 'horizontal' } });
    expect(frame!.intrinsics?.fx).toBeCloseTo(16);
    const [whole] = await read({ path: 'ball.mkv', intrinsics });
    expect(whole!.view).toEqual({ left: 0, top: 0, width: 64, height: 48, source: view.source });
  });
});

describe('fused into a video', () => {
  const resize = (over: Partial<Extract<Fusion, { do: 'resize' }>>): Fusion => ({
    do: 'resize',
    width: 32,
    height: 32,
    fit: 'stretch',
    on: 'cpu',
    ...over,
  });

  beforeAll(() => {
    // From left: grey, yellow, cyan, green, magenta, red, blue.
    const bars = { width: 224, height: 112, frames: 2, pattern: 'smpte75', encode: lossless };
    makeVideo(join(directory, 'bars.mov'), bars);
  });

  const grey = [191, 191, 191];
  const black = [0, 0, 0];
  const green = [0, 191, 0];
  const blue = [0, 0, 191];
  const near = (pixel: number[], wanted: number[]) =>
    pixel.forEach((value, i) => {
      expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(16);
    });

  test('stretch shows all of the picture', async () => {
    const [frame] = await read({ path: 'bars.mov' }, [resize({})]);
    expect([frame!.width, frame!.height]).toEqual([32, 32]);
    near(at(frame!, 1, 1), grey);
    near(at(frame!, 15, 1), green);
    near(at(frame!, 30, 1), blue);
  });

  test('crop shows its centre', async () => {
    const [frame] = await read({ path: 'bars.mov' }, [resize({ fit: 'crop' })]);
    near(at(frame!, 15, 1), green);
    // The centre square begins at a quarter of the width, within the second bar.
    near(at(frame!, 0, 1), [191, 191, 0]);
  });

  test('letterbox pads above and below', async () => {
    const [frame] = await read({ path: 'bars.mov' }, [resize({ fit: 'letterbox' })]);
    near(at(frame!, 15, 2), black);
    near(at(frame!, 15, 29), black);
    near(at(frame!, 15, 12), green);
    near(at(frame!, 1, 12), grey);
  });

  test('view cuts to its aspect and then squeezes', async () => {
    const [viewed] = await read({ path: 'bars.mov' }, [resize({ view: 1 })]);
    const [cropped] = await read({ path: 'bars.mov' }, [
      { do: 'crop', region: { aspect: 1 } },
      resize({}),
    ]);
    expect(Buffer.compare(viewed!.data, cropped!.data)).toBe(0);
  });

  test('crop and flip are exact', async () => {
    const [whole] = await read({ path: 'bars.mov' });
    const region = { left: 30, top: 8, width: 51, height: 20 };
    const [part] = await read({ path: 'bars.mov' }, [{ do: 'crop', region }]);
    const [flipped] = await read({ path: 'bars.mov' }, [{ do: 'flip', axis: 'horizontal' }]);
    expect([part!.width, part!.height]).toEqual([51, 20]);
    for (let x = 0; x < 51; x += 5) {
      for (let y = 0; y < 20; y += 3) expect(at(part!, x, y)).toEqual(at(whole!, x + 30, y + 8));
    }
    for (let x = 0; x < 224; x++) expect(at(flipped!, x, 90)).toEqual(at(whole!, 223 - x, 90));
  });

  test.each(['stretch', 'crop', 'letterbox'] as const)(
    'a picture that has the size wanted is not touched: %s',
    async (fit) => {
      const path = join(directory, 'exact.mkv');
      makeVideo(path, { width: 224, height: 224, frames: 2, pattern: 'snow' });
      const plain = await read({ path });
      const resized = await read({ path }, [resize({ width: 224, height: 224, fit, view: 1 })]);
      expect(Buffer.compare(resized[1]!.data, plain[1]!.data)).toBe(0);
    },
  );

  test('a region outside the picture fails with the reason', async () => {
    const region = { left: 200, top: 0, width: 100, height: 50 };
    await expect(read({ path: 'bars.mov' }, [{ do: 'crop', region }])).rejects.toMatchObject({
      code: 'SOURCE',
    });
  });

  test('intrinsics follow the picture', async () => {
    const intrinsics = { 'field-of-view': 90, width: 224, height: 112 };
    const [frame] = await read({ path: 'bars.mov', intrinsics }, [resize({ fit: 'crop' })]);
    expect(frame!.intrinsics?.fx).toBeCloseTo(32);
    expect(frame!.intrinsics?.cx).toBeCloseTo(15.5);
  });
});

describe('a video that cannot be read', () => {
  const fails = async (path: string, message: RegExp) => {
    await expect(read({ path })).rejects.toMatchObject({
      name: 'DepthlineError',
      message: expect.stringMatching(message),
    });
    expect(context.counts.restarts).toEqual([]);
  };

  test('missing', () => fails('none.mp4', /"none.mp4" does not exist: looked for .*none.mp4/));

  test('a directory', async () => {
    mkdirSync(join(directory, 'folder'));
    await fails('folder', /is not a file/);
  });

  test('no video at all', async () => {
    writeFileSync(join(directory, 'text.mp4'), 'this is text\n'.repeat(100));
    await fails('text.mp4', /video "text.mp4" failed: .*text/);
  });

  test('empty', async () => {
    writeFileSync(join(directory, 'empty.mp4'), '');
    await fails('empty.mp4', /video "empty.mp4" failed: .*empty/);
  });

  test('sound only', async () => {
    const path = join(directory, 'sound.wav');
    const line = `audiotestsrc num-buffers=10 ! wavenc ! filesink location=${path}`;
    execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 60_000 });
    await fails('sound.wav', /audio track only/);
  });

  test('cut off in the middle', async () => {
    const bytes = readFileSync(join(directory, 'ball.mkv'));
    writeFileSync(join(directory, 'cut.mkv'), bytes.subarray(0, bytes.length / 2));
    const frames = await read({ path: 'cut.mkv' });
    expect(frames.length).toBeGreaterThan(5);
  });

  test('noise', async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255);
    writeFileSync(join(directory, 'noise.mp4'), noise);
    await fails('noise.mp4', /video "noise.mp4" failed/);
  });

  test('not permitted', async () => {
    const path = join(directory, 'secret.mkv');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    // Root may read everything, and then finds that it is no video.
    await fails('secret.mkv', process.getuid?.() === 0 ? /failed/ : /permissions/);
  });
});

test('plan shows the launch line', async () => {
  const options = videoFile.options.parse({ path: 'a b.mp4' });
  const line = await videoFile.launchLine?.(options, { fused: [], baseDirectory: '/videos' });
  expect(line).toMatch(/^uridecodebin uri="file:\/\/\/videos\/a%20b.mp4" .* ! fdsink/);
});

test.each(['fifo', 'folder.mkv', '/dev/zero'])(
  '%s is not a file, which is said at once',
  async (name) => {
    const path = name.startsWith('/') ? name : join(directory, name);
    if (name === 'fifo') execFileSync('mkfifo', [path]);
    if (name === 'folder.mkv') mkdirSync(path);
    context = testContext();
    await expect(
      videoFile.create(videoFile.options.parse({ path }), context),
    ).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/not a (regular )?file/),
    });
    expect(captureHosts()).toEqual([]);
  },
);
