import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Observable } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { builtins } from '../../src/builtins.ts';
import { defineSink, defineSource, type SourceDefinition } from '../../src/core/component.ts';
import type { Frame, StereoFrame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { stereo } from '../../src/sources/stereo.ts';
import { imageFrame } from '../../src/testing/sample-frames.ts';

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

/** What ROS has found out about a camera of 32×24. */
const cameraInfo = (cx: number, tx: number) => `image_width: 32
image_height: 24
camera_name: eye
camera_matrix: { rows: 3, cols: 3, data: [30, 0, ${cx}, 0, 30, 11.5, 0, 0, 1] }
distortion_model: plumb_bob
distortion_coefficients: { rows: 1, cols: 5, data: [0, 0, 0, 0, 0] }
rectification_matrix: { rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1] }
projection_matrix: { rows: 3, cols: 4, data: [30, 0, 15.5, ${tx}, 0, 30, 11.5, 0, 0, 0, 1, 0] }
`;

describe('a calibration', () => {
  test('rectifies in a thread, with the geometry of the rectified cameras; no pair is lost', async () => {
    writeFileSync(join(folder, 'left.yaml'), cameraInfo(15.5, 0));
    writeFileSync(join(folder, 'right.yaml'), cameraInfo(17.5, -3));
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

describe('problems', () => {
  const problem = (options: object) => {
    try {
      definePipeline({ source: stereo(options), sinks: [collector().sink] });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  test('are reported at the option of the nested source', () => {
    expect(problem({ left: clip({ frames: 1 }), right: clip({ many: 2 } as never) })).toMatch(
      /source\.stereo\.right\.clip.*many/,
    );
    expect(problem({ left: clip({ frames: 1 }) })).toContain('needs either left and right');
    expect(problem({ left: { clip: {} }, right: { clip: {} } })).toContain('call the component');
  });

  const inFile = async (source: string) => {
    const text = `source:\n  stereo: ${source}\nsinks:\n  - discard: {}\n`;
    const { problems } = await parsePipeline(text, join(folder, 'p.yaml'), { registry: builtins });
    return problems.map(({ message }) => message);
  };

  test('of a nested source hide none beside it', async () => {
    const found = await inFile(
      '{ left: { usb-camra: {} }, right: { images: { pth: right } }, max-skew: soon, calibraton: rig.yaml }',
    );
    expect(found).toEqual([
      'unknown source "usb-camra"; did you mean "usb-camera"?',
      'unknown option "pth"; did you mean "path"?',
      expect.stringContaining('max-skew: is not a duration'),
      'unknown option "calibraton"; did you mean "calibration"?',
    ]);
    expect(await inFile('{ side-by-side: { images: { pth: both } }, max-skew: soon }')).toEqual([
      'unknown option "pth"; did you mean "path"?',
      expect.stringContaining('max-skew: is not a duration'),
    ]);
    expect(await inFile('{ left: { usb-camera: {} }, right: no-camera }')).toHaveLength(1);
  });

  test('of the calibration are found before the cameras are opened', async () => {
    const eyes = (width: number) =>
      `{ usb-camera: { device: /dev/null, width: ${width}, height: 24 } }`;
    const pair = (width: number, calibration: string) =>
      inFile(`{ left: ${eyes(width)}, right: ${eyes(width)}, calibration: ${calibration} }`);
    const files = `[${join(folder, 'left.yaml')}, ${join(folder, 'right.yaml')}]`;
    writeFileSync(join(folder, 'left.yaml'), cameraInfo(15.5, 0));
    writeFileSync(join(folder, 'right.yaml'), cameraInfo(17.5, -3));
    expect(await pair(32, files)).toEqual([]);
    expect(await pair(32, 'none.yaml')).toEqual([expect.stringContaining('cannot be read')]);
    expect(await pair(48, files)).toEqual([
      expect.stringContaining('is for pictures of 32×24, and these are 48×24'),
    ]);
  });

  test('a calibration with an absolute path is protected like any file that is read', () => {
    const { reads } = builtins.get('stereo', 'source') as SourceDefinition;
    expect(reads?.({ calibration: '/rigs/rig.yaml' }, '/pipelines')).toMatchObject([
      { path: '/rigs/rig.yaml' },
    ]);
  });

  test('a skew that allows of two partners is warned of', () => {
    const { warnings, options } = builtins.get('stereo', 'source') as SourceDefinition;
    const eye = (fps: number) => {
      const definition = builtins.get('usb-camera', 'source') as SourceDefinition;
      return { definition, options: definition.options.parse({ device: '/dev/video0', fps }) };
    };
    const warned = (maxSkew: string, fps = 30) =>
      warnings?.(options.parse({ left: eye(15), right: eye(fps), 'max-skew': maxSkew }), folder);
    expect(warned('16ms')).toEqual([]);
    expect(warned('17ms')).toEqual([expect.stringContaining('(16.7 ms)')]);
    expect(warned('10ms', 60)).toHaveLength(1);
  });
});
