import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, tap, toArray } from 'rxjs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { inspectContainer } from '../../src/gstreamer/video-container.ts';
import { videoFile } from '../../src/sources/video-file.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { captureHosts, makeVideo } from '../support/gstreamer.ts';

const folder = mkdtempSync(join(tmpdir(), 'damaged-'));
afterAll(() => rmSync(folder, { recursive: true }));

let context: TestContext;
afterEach(() => context?.close());

async function read(path: string, options = {}, each: (n: number) => void = () => {}) {
  context = testContext();
  let n = 0;
  const frames = await videoFile.create(videoFile.options.parse({ path, ...options }), context);
  return lastValueFrom(
    frames.pipe(
      tap<Frame>(() => each(++n)),
      toArray(),
    ),
  );
}

const warnings = () =>
  context.logs.filter(({ level }) => level === 'warn').map(({ message }) => message);

const dropped = () => [...context.drops.values()].reduce((sum, n) => sum + n, 0);

const containers = [
  ['mkv', 'x264enc ! matroskamux'],
  ['webm', 'vp8enc deadline=1 ! webmmux'],
  ['mp4', 'x264enc ! mp4mux faststart=true'],
  ['mov', 'jpegenc ! qtmux faststart=true'],
  ['avi', 'jpegenc ! avimux'],
] as const;

describe.each(containers)('a %s file', (kind, encode) => {
  const whole = join(folder, `whole.${kind}`);
  makeVideo(whole, { frames: 60, encode });

  it('that is whole is not said to be cut off', async () => {
    expect(await inspectContainer(whole)).toMatchObject({ cutOff: false });
    expect(await read(whole)).toHaveLength(60);
    expect(warnings()).toEqual([]);
    expect(dropped()).toBe(0);
  });

  it.each([0.3, 0.7])('cut off at %d: what is missing is said and counted', async (at) => {
    const path = join(folder, `cut.${kind}`);
    const bytes = readFileSync(whole);
    writeFileSync(path, bytes.subarray(0, Math.round(bytes.length * at)));
    const frames = await read(path);
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.length).toBeLessThan(60);
    expect(frames.length + (context.drops.get('missing from the file') ?? 0)).toBe(60);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /is cut off: it ends after \d\.\d\d s of 2\.\d\d s; the missing \d+ frames/,
      ),
    ]);
  });
});

it('a file that lacks its last bytes does not end after its own length', async () => {
  const path = join(folder, 'last.mp4');
  makeVideo(path, { frames: 60, encode: 'x264enc ! mp4mux faststart=true' });
  truncateSync(path, readFileSync(path).length - 3);
  expect(await read(path)).toHaveLength(59);
  expect(warnings()).toEqual([
    expect.stringMatching(
      /is cut off: it ends after 2\.00 s of 2\.00 s; the missing frame is counted as dropped$/,
    ),
  ]);
});

it('a live recording that does not know its length is said to be cut off', async () => {
  const path = join(folder, 'live.mkv');
  makeVideo(path, { frames: 60, encode: 'jpegenc ! matroskamux streamable=true' });
  expect(await inspectContainer(path)).toMatchObject({ cutOff: false });
  truncateSync(path, Math.round(readFileSync(path).length * 0.6));
  const frames = await read(path);
  expect(frames.length).toBeGreaterThan(20);
  expect(warnings()).toEqual([expect.stringMatching(/is cut off: it ends after \d\.\d\d s$/)]);
});

it.each(['raw.txt', 'empty', 'zeros'])('no container: %s', async (name) => {
  const path = join(folder, name);
  writeFileSync(
    path,
    name === 'zeros' ? Buffer.alloc(100_000) : name === 'empty' ? '' : 'text '.repeat(99),
  );
  expect(await inspectContainer(path)).toBeUndefined();
});

it('a container of arbitrary bytes is looked at without end or error', async () => {
  const starts = [
    '1a45dfa3',
    '52494646000000004156492000',
    '0000001466747970',
    '000000016d646174ffffffff',
  ];
  for (const [i, start] of starts.entries()) {
    for (const fill of [0x00, 0x01, 0x80, 0xff]) {
      const path = join(folder, `odd${i}`);
      writeFileSync(path, Buffer.concat([Buffer.from(start, 'hex'), Buffer.alloc(5000, fill)]));
      await inspectContainer(path);
    }
  }
});

describe('damaged JPEG pictures in a video', () => {
  const whole = join(folder, 'jpeg.mkv');
  // Larger than what a socket holds: the process that reads the file is still there at the tenth picture.
  makeVideo(whole, { frames: 30, width: 160, height: 120, encode: 'jpegenc ! matroskamux' });
  /** Overwrites the given pictures, which have then no beginning. */
  const damage = (...pictures: number[]) => {
    const bytes = readFileSync(whole);
    const starts: number[] = [];
    for (
      let i = bytes.indexOf('ffd8ff', 0, 'hex');
      i >= 0;
      i = bytes.indexOf('ffd8ff', i + 3, 'hex')
    )
      starts.push(i);
    for (const n of pictures) bytes.fill(0, starts[n], (starts[n] as number) + 100);
    const path = join(folder, 'damaged.mkv');
    writeFileSync(path, bytes);
    return path;
  };

  it('are skipped, said once and counted', async () => {
    expect(await read(damage(5, 10, 11, 20))).toHaveLength(26);
    expect(context.drops).toEqual(new Map([['damaged', 4]]));
    expect(warnings()).toEqual([expect.stringMatching(/has damaged pictures, which are skipped/)]);
  });

  it('are counted once when the file is read again after a crash', async () => {
    const frames = await read(damage(2, 20), {}, (n) => {
      if (n === 10) process.kill(captureHosts()[0] as number, 'SIGKILL');
    });
    expect(frames).toHaveLength(28);
    expect(context.counts.restarts).toHaveLength(1);
    expect(context.drops).toEqual(new Map([['damaged', 2]]));
  });

  it('that the decoder gives up on end the source, with the decoder and its reason', async () => {
    const pictures = join(folder, 'p%02d.jpg');
    const caps = 'caps=image/jpeg,framerate=30/1,width=64,height=48';
    const launch = (...line: string[]) =>
      execFileSync('gst-launch-1.0', ['-q', ...line], { timeout: 60_000 });
    launch(
      ...'videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48 ! jpegenc ! multifilesink'.split(
        ' ',
      ),
      `location=${pictures}`,
    );
    truncateSync(join(folder, 'p12.jpg'), 300);
    const path = join(folder, 'short.avi');
    launch(
      ...['multifilesrc', `location=${pictures}`, caps],
      ...`! avimux ! filesink location=${path}`.split(' '),
    );
    await expect(read(path)).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/Failed to decode JPEG image.*element jpegdec0.*damaged/),
    });
  });
});
