import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Observable } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineSink, defineSource } from '../../src/core/component.ts';
import type { Frame, StereoFrame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { stereo } from '../../src/sources/stereo.ts';
import { imageFrame } from '../../src/testing/sample-frames.ts';
import { cameraInfo } from '../support/calibrations.ts';

const folder = mkdtempSync(join(tmpdir(), 'stereo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const time = z.number();

/** A camera in virtual time: a frame every so many milliseconds, from `phase` on. */
const camera = defineSource({
  name: 'camera',
  summary: 'Gives frames by the clock.',
  emits: ['image'],
  live: true,
  options: z.strictObject({
    every: time.default(33).describe('milliseconds'),
    phase: time.default(0).describe('milliseconds'),
    away: z.tuple([time, time]).optional().describe('gone from, to: milliseconds'),
    width: time.default(32).describe('pixels'),
  }),
  examples: [{}],
  create: async ({ every, phase, away, width }, context) =>
    new Observable<Frame>((subscriber) => {
      let seq = 0;
      let cancel = () => {};
      let gone = false;
      const shoot = (n: number) => {
        const now = n * every + phase;
        cancel = context.clock.after(Math.max(0, now + every - context.clock.now()), () =>
          shoot(n + 1),
        );
        if (away && now >= away[0] && now < away[1]) {
          if (!gone) context.reconnecting(context.clock.wall());
          gone = true;
          return;
        }
        if (gone) {
          gone = false;
          context.restarted('came back');
          context.reconnecting(undefined);
          context.dropped(2, 'at capture');
          seq += 2;
        }
        const capturedAt = context.clock.wall();
        subscriber.next({ ...imageFrame(width, 24, seq++), pts: capturedAt, capturedAt });
      };
      cancel = context.clock.after(phase, () => shoot(0));
      return () => cancel();
    }),
});

/** Ends after its frames, each as soon as the gate lets it; pts by `fps`. */
const clip = defineSource({
  name: 'clip',
  summary: 'Gives frames as fast as they are taken.',
  emits: ['image'],
  options: z.strictObject({
    frames: time.describe('number of frames'),
    skip: z.array(time).default([]).describe('numbers that are missing'),
    slow: z.boolean().default(false).describe('lets others go first'),
    width: time.default(32).describe('pixels'),
    bright: time.default(0).describe('red of all pixels'),
  }),
  examples: [{ frames: 1 }],
  create: async ({ frames, skip, slow, width, bright }, { gate, signal }) =>
    new Observable<Frame>((subscriber) => {
      let over = false;
      const deliver = async () => {
        for (let n = 0; n < frames && !over; n++) {
          await gate.opened(signal);
          for (let turns = slow ? 20 : 0; turns > 0; turns--) await Promise.resolve();
          if (over || skip.includes(n)) continue;
          const pts = BigInt(n) * 40_000_000n;
          subscriber.next({ ...imageFrame(width, 24, n, () => [bright, 0, 0]), pts });
        }
        subscriber.complete();
      };
      void deliver();
      return () => {
        over = true;
      };
    }),
});

function collector() {
  const frames: StereoFrame[] = [];
  const sink = defineSink({
    name: 'collect',
    summary: 'Keeps frames.',
    accepts: ['stereo'],
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({ write: (frame) => void frames.push(frame as StereoFrame) }),
  });
  return { frames, sink: sink() };
}

interface Given {
  readonly options: object;
  readonly forMs: number;
}

/** Runs a stereo source in virtual time. */
async function run({ options, forMs }: Given) {
  const { frames, sink } = collector();
  const clock = new VirtualClock();
  const pipeline = definePipeline({
    source: stereo(options),
    sinks: [{ sink, queue: { limit: 4, whenFull: 'block' } }],
    baseDirectory: folder,
  });
  const running = await startPipeline(pipeline, { clock });
  let over = false;
  void running.done.finally(() => {
    over = true;
  });
  for (let ms = 0; ms < forMs && !over; ms += 5) await clock.advance(5);
  running.stop();
  while (!over) await clock.advance(50);
  const summary = await running.done;
  const branch = summary.branches[0]!;
  expect(imbalance(branch)).toBe(0);
  const dropped = Object.fromEntries(branch.dropped.map(({ reason, count }) => [reason, count]));
  return { frames, summary, dropped, branch };
}

const two = (left: object, right: object, more: object = {}) => ({
  left: camera(left),
  right: camera(right),
  ...more,
});

describe('two cameras in virtual time', () => {
  test('a skew below max-skew pairs every frame, once', async () => {
    const { frames, dropped, summary } = await run({
      options: two({}, { phase: 4 }),
      forMs: 1000,
    });
    expect(frames.length).toBeGreaterThanOrEqual(29);
    expect(summary.captured).toBe(frames.length + (dropped['no partner'] ?? 0));
    expect(dropped['no partner'] ?? 0).toBeLessThanOrEqual(1);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n));
    expect(frames[0]).toMatchObject({ kind: 'stereo', source: 'stereo', width: 32, height: 24 });
  });

  test('a skew above it pairs none, and every frame is counted', async () => {
    const { frames, dropped, summary } = await run({
      options: two({}, { phase: 12 }),
      forMs: 1000,
    });
    expect(frames).toEqual([]);
    expect(dropped).toEqual({ 'no partner': summary.captured });
    expect(summary.captured).toBeGreaterThanOrEqual(59);
  });

  test('right-delay takes a constant delay of the right camera away', async () => {
    const { frames } = await run({
      options: two({}, { phase: 12 }, { 'right-delay': '11ms' }),
      forMs: 500,
    });
    expect(frames.length).toBeGreaterThanOrEqual(14);
  });

  test('clocks that drift apart lose their partners and find the next ones', async () => {
    const { frames, dropped } = await run({
      options: two({ every: 33 }, { every: 34 }),
      forMs: 3000,
    });
    const gaps = frames.slice(1).map(({ seq }, n) => seq - frames[n]!.seq);
    expect(Math.max(...gaps)).toBeGreaterThan(10);
    expect(frames.length).toBeGreaterThan(20);
    expect(dropped['no partner']).toBeGreaterThan(60);
  });

  test('a camera of twice the rate gives every other frame no partner', async () => {
    const { frames, dropped, branch } = await run({
      options: two({ every: 66 }, { every: 33, phase: 3 }),
      forMs: 1000,
    });
    expect(frames.length).toBeGreaterThanOrEqual(14);
    expect(dropped['no partner']).toBeGreaterThanOrEqual(13);
    expect(branch.captured).toBe(frames.length + dropped['no partner']!);
  });

  test('cameras that cannot be opened are named, both', async () => {
    const missing = defineSource({
      name: 'missing',
      summary: 'Is not there.',
      emits: ['image'],
      options: z.strictObject({ device: z.string().describe('path') }),
      examples: [],
      create: async ({ device }) => {
        throw new Error(`no camera ${device}`);
      },
    });
    const fails = (left: object, right: object) =>
      run({ options: { left, right }, forMs: 50 }).catch((error: unknown) => error);
    expect(await fails(camera({}), missing({ device: 'b' }))).toMatchObject({
      at: 'source stereo right missing',
      message: 'no camera b',
    });
    expect(await fails(missing({ device: 'a' }), missing({ device: 'b' }))).toMatchObject({
      at: 'source stereo left missing',
      message: 'no camera a; source stereo right missing: no camera b',
    });
  });

  test('one camera that is away and restarts: the other goes on, and they pair again', async () => {
    const { frames, dropped, branch, summary } = await run({
      options: two({}, { phase: 2, away: [300, 700] }),
      forMs: 1500,
    });
    const late = frames.filter(
      ({ capturedAt }) => capturedAt > frames[0]!.capturedAt + 700_000_000n,
    );
    expect(late.length).toBeGreaterThan(20);
    expect(dropped['no partner']).toBeGreaterThanOrEqual(11);
    expect(dropped['at capture']).toBe(2);
    expect(summary.restarts).toMatchObject([{ stage: 'stereo', count: 1 }]);
    expect(branch.captured).toBe(branch.delivered + dropped['no partner']! + 2);
  });
});

describe('two sources of files', () => {
  const clips = (left: object, right: object, more: object = {}) => ({
    left: clip(left as never),
    right: clip(right as never),
    ...more,
  });

  test('wait for each other, and pair by presentation time', async () => {
    const { frames, dropped } = await run({
      options: clips({ frames: 50 }, { frames: 50, slow: true }),
      forMs: 1000,
    });
    expect(frames.map(({ pts }) => pts)).toEqual(
      Array.from({ length: 50 }, (_, n) => BigInt(n) * 40_000_000n),
    );
    expect(dropped).toEqual({});
  });

  test('a frame that one of them lacks leaves its partner alone', async () => {
    const { frames, dropped, summary } = await run({
      options: clips({ frames: 10, skip: [3] }, { frames: 8, skip: [5, 6] }),
      forMs: 1000,
    });
    expect(frames.map(({ seq }) => seq)).toEqual([0, 1, 2, 4, 7]);
    expect(dropped['no partner']).toBeGreaterThanOrEqual(3);
    expect(summary.error).toBeUndefined();
  });

  test('sizes that differ end the run with a message', async () => {
    const { summary } = await run({
      options: clips({ frames: 3 }, { frames: 3, width: 16 }),
      forMs: 500,
    });
    expect(summary.error?.message).toContain('the left picture is 32×24, the right one 16×24');
  });

  test('cameras that rectify themselves need their baseline only', async () => {
    const { frames } = await run({
      options: clips({ frames: 2 }, { frames: 2, bright: 9 }, { baseline: 0.12 }),
      forMs: 500,
    });
    expect(frames[0]).toMatchObject({ baseline: 0.12, rectified: true });
    expect(frames[0]!.left.data[0]).toBe(0);
    expect(frames[0]!.right.data[0]).toBe(9);
  });
});

describe('one source', () => {
  test('side by side is split, with the left half first', async () => {
    const { frames } = await run({
      options: { 'side-by-side': clip({ frames: 3, width: 64 }) },
      forMs: 500,
    });
    expect(frames).toHaveLength(3);
    expect(frames[0]).toMatchObject({ width: 32, left: { width: 32 }, right: { width: 32 } });
  });

  test('an odd width is refused', async () => {
    const { summary } = await run({
      options: { 'side-by-side': clip({ frames: 1, width: 33 }) },
      forMs: 500,
    });
    expect(summary.error?.message).toContain('its width is odd');
  });
});

const eye = { width: 32, height: 24, f: 30, cy: 11.5, rectifiedCx: 15.5 };

describe('a calibration', () => {
  test('rectifies in a thread, with the geometry of the rectified cameras; no pair is lost', async () => {
    writeFileSync(join(folder, 'left.yaml'), cameraInfo({ ...eye, cx: 15.5 }));
    writeFileSync(join(folder, 'right.yaml'), cameraInfo({ ...eye, cx: 17.5, tx: -3 }));
    const { frames, sink } = collector();
    const pipeline = definePipeline({
      source: stereo({
        left: clip({ frames: 12, bright: 7 }),
        right: clip({ frames: 12, bright: 8 }),
        calibration: ['left.yaml', 'right.yaml'],
      }),
      sinks: [sink],
      baseDirectory: folder,
    });
    const summary = await (await startPipeline(pipeline)).done;
    expect(summary.error).toBeUndefined();
    expect(frames).toHaveLength(12);
    expect(frames[0]).toMatchObject({
      rectified: true,
      baseline: 0.1,
      offset: 0,
      intrinsics: { fx: 30, cx: 15.5 },
    });
    expect(frames[0]!.left.data[3 * (5 * 32 + 5)]).toBe(7);
    // The right camera's middle is two pixels to the right: its last columns saw nothing.
    expect(frames[0]!.right.data[3 * (5 * 32 + 5)]).toBe(8);
    expect(frames[0]!.right.data[3 * (5 * 32 + 31)]).toBe(0);
  });
});
