import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { FrameReader } from '../../src/stream/frame-reader.ts';
import { SharedStream, type Taken } from '../../src/stream/shared-stream.ts';
import { makeVideo } from '../support/gstreamer.ts';

let directory: string;
let path: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'stream-'));
  path = join(directory, 'frames.gdp');
  const encode = 'video/x-raw,format=RGB ! gdppay';
  makeVideo(path, { frames: 5, width: 8, height: 4, fps: 25, encode });
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Two readers of one stream, which take turns. */
function open() {
  const descriptor = openSync(path, 'r');
  const stream = new SharedStream();
  const others = [1, 2].map((thread) => ({
    thread,
    // As another thread sees it.
    stream: new SharedStream(stream.memory),
    reader: new FrameReader(),
  }));
  const take = (n: number) => {
    const one = others[n] as (typeof others)[number];
    return one.stream.take(one.thread, descriptor, one.reader);
  };
  return { stream, take, end: () => closeSync(descriptor) };
}

it('frames are numbered as they are read, whoever reads them, and caps are known to all', () => {
  const { stream, take, end } = open();
  stream.ask(6);
  const taken = [0, 1, 1, 0, 1].map((n) => take(n) as Taken);
  expect(taken.map(({ seq }) => seq)).toEqual([0n, 1n, 2n, 3n, 4n]);
  expect(taken.map(({ pts }) => pts)).toEqual(
    [0n, 40n, 80n, 120n, 160n].map((ms) => ms * 1_000_000n),
  );
  expect(stream.caps).toEqual({ format: 'RGB', width: 8, height: 4, interval: 40_000_000n });
  expect(take(0)).toEqual({ ended: true });
  expect(stream.count).toBe(5n);
  expect(stream.waitingSince).toBeUndefined();
  // For the others it is over too.
  stream.ask(1);
  expect(take(1)).toEqual({ ended: false });
  end();
});

it('one that is closed is read no further', () => {
  const { stream, take, end } = open();
  stream.ask(1);
  take(0);
  expect(stream.close()).toBe(true);
  expect(take(1)).toEqual({ ended: false });
  expect(stream.count).toBe(1n);
  end();
});

it('a frame that is late is skipped: the source has a newer one', () => {
  const { stream, take, end } = open();
  const started = process.hrtime.bigint();
  stream.ask(1);
  // PTS count from a second ago, and a frame may be 900 ms late: only the last two are not.
  stream.setFreshness(started - 1_000_000_000n, 900_000_000n);
  expect(take(0)).toMatchObject({ seq: 0n, pts: 120_000_000n });
  end();
});

it('one that is damaged says so, and one whose end is missing ends', () => {
  const whole = path;
  path = join(directory, 'cut.gdp');
  execFileSync('cp', [whole, path]);
  truncateSync(path, 300);
  const { stream, take, end } = open();
  stream.ask(3);
  expect(take(0)).toEqual({ ended: true });
  end();
  execFileSync('sh', ['-c', `printf 'nonsense%.0s' $(seq 20) > ${path}`]);
  const damaged = open();
  damaged.stream.ask(1);
  expect(damaged.take(0)).toMatchObject({ ended: true, damage: expect.stringMatching(/GDP/) });
  damaged.end();
  path = whole;
});

it('a thread that dies while it reads ends the stream', () => {
  const { stream, end } = open();
  expect(stream.abandon(1)).toBe(false);
  const words = new Int32Array(stream.memory);
  words[0] = 2;
  expect(stream.abandon(1)).toBe(false);
  expect(stream.abandon(2)).toBe(true);
  expect(stream.close()).toBe(true);
  end();
});

it('one that is closed while a thread goes to sleep wakes it', () => {
  const { stream, take, end } = open();
  const wait = Atomics.wait as (
    memory: unknown,
    place: number,
    value: unknown,
    ms: number,
  ) => string;
  const slept: string[] = [];
  vi.spyOn(Atomics, 'wait').mockImplementation((memory, place, value) => {
    // Between the last look of the thread and its sleep.
    if (slept.length === 0) stream.close();
    slept.push(wait(memory, place, value, 0));
    return 'not-equal';
  });
  expect(take(0)).toEqual({ ended: false });
  expect(slept).toEqual(['not-equal']);
  end();
});
