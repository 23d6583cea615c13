import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../src/core/clock.ts';
import { defineOperator, defineSink, defineSource } from '../../src/core/component.ts';
import type { SharedContext } from '../../src/core/component-context.ts';
import { DepthlineError } from '../../src/core/errors.ts';
import type { Frame } from '../../src/core/frame.ts';
import { type CamerasInput, defineCameras } from '../../src/pipeline/cameras.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { mapAsync } from '../../src/runtime/map-async.ts';
import type { RunOptions, RunSummary } from '../../src/runtime/run-handle.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { Supervisor } from '../../src/runtime/supervisor.ts';
import { Turns } from '../../src/runtime/turns.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, ticker } from '../support/parts.ts';
import { fc } from '../support/property.ts';

/** Work of `ms` per frame, by `workers` that all cameras share. */
const model = defineOperator({
  name: 'model',
  summary: 'Shared work, for tests.',
  accepts: ['image'],
  emits: 'same',
  queued: true,
  examples: [{}],
  options: z.strictObject({ ms: z.number().default(10), workers: z.int().default(1) }),
  create: async ({ ms, workers }, context) => {
    const { turns } = await context.share('', async (shared: SharedContext) => {
      shared.defer(() => void closed.push(shared.name));
      return { turns: new Turns() };
    });
    return mapAsync(
      async (frame) => {
        await sleep(context.clock, ms);
        return frame;
      },
      { concurrency: workers, turns, context },
    );
  },
});
const closed: string[] = [];

/** Counts the frames of each camera, and how many of it were open at the same time. */
function sharedSink(clock: VirtualClock, ms = 0) {
  const seen: { camera: string | undefined; seq: number; ageMs: number }[] = [];
  const state = { opened: 0, writing: 0, together: 0, cameras: [] as readonly string[] };
  const sink = defineSink({
    name: 'all',
    summary: 'Takes the frames of all cameras, for tests.',
    accepts: ['image'],
    shared: true,
    options: z.strictObject({}),
    examples: [{}],
    create: async (_, context) => {
      state.opened++;
      state.cameras = context.cameras ?? [];
      return {
        async write(frame: Frame) {
          state.together = Math.max(state.together, ++state.writing);
          if (ms > 0) await sleep(clock, ms);
          state.writing--;
          const ageMs = Number(clock.wall() - frame.capturedAt) / 1e6;
          seen.push({ camera: frame.camera, seq: frame.seq, ageMs });
        },
      };
    },
  });
  return { sink, seen, state };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i + 1}`);

function camerasOf(count: number, options: Parameters<typeof ticker>[0] = {}) {
  return Object.fromEntries(names(count).map((name) => [name, ticker(options)]));
}

async function run(input: CamerasInput, clock: VirtualClock, options: RunOptions = {}) {
  const logs: string[] = [];
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => void logs.push(text) };
  const started = await startPipeline(defineCameras(input), { clock, log, ...options });
  const summary = await clock.until(started.done);
  return { run: started, summary, logs };
}

function expectBalanced({ branches, violations, captured, cameras = [] }: RunSummary): void {
  expect(violations).toEqual([]);
  for (const branch of branches) expect(imbalance(branch)).toBe(0);
  expect(captured).toBe(cameras.reduce((sum, camera) => sum + camera.captured, 0));
  // In sum, for each sink that takes the frames of all cameras.
  const sums = { captured: 0, rest: 0 };
  for (const { captured: n, added, delivered, failed, dropped } of branches) {
    sums.captured += n + added;
    sums.rest += delivered + failed + dropped.reduce((sum, { count }) => sum + count, 0);
  }
  expect(sums.captured).toBe(sums.rest);
}

describe('a model that several cameras share', () => {
  it('gives each camera its share, and the newest frame of each', async () => {
    const clock = new VirtualClock();
    const { sink, seen } = sharedSink(clock);
    // 80 frames per second for a model that does 50.
    const input = {
      cameras: camerasOf(8, { live: true, periodMs: 100, frames: 200 }),
      operators: [model({ ms: 20 })],
      sinks: [sink({})],
    };
    const { summary } = await run(input, clock);
    expectBalanced(summary);
    const counts = summary.branches.map(({ delivered }) => delivered);
    expect(Math.min(...counts) / Math.max(...counts)).toBeGreaterThan(0.95);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0.95 * 20 * 50);
    // A round of all others, the frame's own work, and one period at most in its queue.
    expect(Math.max(...seen.map(({ ageMs }) => ageMs))).toBeLessThanOrEqual(8 * 20 + 20);
  });

  it('does not let a fast camera take the turns of slow ones', async () => {
    const clock = new VirtualClock();
    const { sink } = sharedSink(clock);
    const cameras = {
      fast: ticker({ live: true, periodMs: 5, frames: 2000 }),
      ...camerasOf(3, { live: true, periodMs: 100, frames: 100 }),
    };
    const { summary } = await run(
      { cameras, operators: [model({ ms: 20 })], sinks: [sink({})] },
      clock,
    );
    expectBalanced(summary);
    // Each of the others has a frame in time for the next round, so none is dropped.
    for (const { camera, delivered } of summary.branches)
      if (camera !== 'fast') expect(delivered).toBe(100);
  });

  it('is opened once, and closed after the last camera', async () => {
    closed.length = 0;
    const clock = new VirtualClock();
    const { sink, state } = sharedSink(clock);
    const cameras = { a: ticker({ frames: 3 }), b: ticker({ frames: 30 }) };
    await run({ cameras, operators: [model({ ms: 1 })], sinks: [sink({})] }, clock);
    expect(closed).toEqual(['model']);
    expect(state).toMatchObject({ opened: 1, cameras: ['a', 'b'] });
  });
});

describe('a sink that several cameras share', () => {
  it('writes one frame at a time, in turn', async () => {
    const clock = new VirtualClock();
    const { sink, seen, state } = sharedSink(clock, 7);
    const { summary } = await run(
      { cameras: camerasOf(3, { frames: 20 }), sinks: [sink({})] },
      clock,
    );
    expectBalanced(summary);
    expect(state.together).toBe(1);
    expect(
      seen
        .slice(0, 9)
        .map(({ camera }) => camera)
        .join(' '),
    ).toBe('c1 c2 c3 c1 c2 c3 c1 c2 c3');
  });

  it('takes the frames of the cameras that its branch names', async () => {
    const clock = new VirtualClock();
    const { sink, seen } = sharedSink(clock);
    const all = collector(clock);
    const sinks = [
      { sink: sink({}), cameras: ['b'] },
      { sink: all({}), name: 'own' },
    ];
    const cameras = { a: ticker({ frames: 3 }), b: ticker({ frames: 3 }) };
    const { summary } = await run({ cameras, sinks }, clock);
    expect(new Set(seen.map(({ camera }) => camera))).toEqual(new Set(['b']));
    expect(summary.branches.map(({ name }) => name)).toEqual(['a/own', 'b/all', 'b/own']);
  });
});

describe('a camera that dies', () => {
  it('costs the others nothing', async () => {
    const clock = new VirtualClock();
    const { sink } = sharedSink(clock);
    const cameras = {
      ...camerasOf(3, { live: true, periodMs: 100, frames: 50 }),
      bad: ticker({ live: true, periodMs: 100, frames: 50, failAt: 10 }),
    };
    const { summary, logs } = await run(
      { cameras, operators: [model({ ms: 20 })], sinks: [sink({})] },
      clock,
    );
    expectBalanced(summary);
    const delivered = Object.fromEntries(
      summary.branches.map((one) => [one.camera, one.delivered]),
    );
    expect(delivered).toEqual({ c1: 50, c2: 50, c3: 50, bad: 10 });
    expect(summary.error).toMatchObject({ message: '1 of 4 cameras failed: bad', exitCode: 1 });
    expect(logs).toEqual([
      'camera bad has failed: source ticker: the camera failed; 3 cameras go on',
    ]);
  });

  it('at the start costs the others nothing', async () => {
    const clock = new VirtualClock();
    const broken = defineSink({
      name: 'broken',
      summary: 'Does not open, for tests.',
      accepts: ['image'],
      options: z.strictObject({}),
      examples: [{}],
      create: async () => {
        throw new Error('no room');
      },
    });
    const sinks = [{ sink: collector(clock)({}) }, { sink: broken({}), cameras: ['b'] }];
    const { summary, run: handle } = await run({ cameras: camerasOfTwo(), sinks }, clock);
    expect(summary.cameras).toMatchObject([
      { name: 'a', captured: 5 },
      { name: 'b', captured: 0, error: { message: 'no room' } },
    ]);
    expect(handle.stats().cameras?.map(({ state }) => state)).toEqual(['ended', 'failed']);
  });

  it('ends the start if it is the last', async () => {
    const clock = new VirtualClock();
    const broken = defineSink({
      name: 'broken',
      summary: 'Does not open, for tests.',
      accepts: ['image'],
      shared: true,
      options: z.strictObject({}),
      examples: [{}],
      create: async () => {
        throw new Error('the port is taken');
      },
    });
    const pipeline = defineCameras({ cameras: camerasOfTwo(), sinks: [broken({})] });
    await expect(startPipeline(pipeline, { clock })).rejects.toThrow('the port is taken');
  });
});

describe('a mistake that only one camera shows at the start', () => {
  /** Holds a place, as a port or a file is held, and takes a while to give it up. */
  function place(clock: VirtualClock) {
    const held = new Set<string>();
    const sink = defineSink({
      name: 'place',
      summary: 'Holds a place, for tests.',
      accepts: ['image'],
      options: z.strictObject({ at: z.string() }),
      examples: [{ at: 'door' }],
      create: async ({ at }, context) => {
        if (held.has(at)) throw new DepthlineError('CONFIG', `${at} is in use`);
        held.add(at);
        context.defer(async () => {
          await sleep(clock, 50);
          held.delete(at);
        });
        return { write: () => {} };
      },
    });
    return { sink, held };
  }

  it('ends the start once all that was open is closed', async () => {
    const clock = new VirtualClock();
    const { sink, held } = place(clock);
    const sinks = ['{camera}', 'taken'].map((at) => sink({ at }));
    const pipeline = defineCameras({ cameras: camerasOfTwo(), sinks });
    const starting = startPipeline(pipeline, { clock }).catch((error: unknown) => error);
    expect(await clock.until(starting)).toMatchObject({ message: 'taken is in use' });
    expect([...held]).toEqual([]);
  });

  it('of a reload leaves the run before as it was', async () => {
    const clock = new VirtualClock();
    const { sink } = place(clock);
    const of = (...places: string[]) =>
      defineCameras({
        cameras: camerasOf(2, { frames: 100_000 }),
        sinks: places.map((at) => sink({ at })),
      });
    const supervisor = await Supervisor.start(of('{camera}'), { clock });
    const replaced = supervisor.replace(of('{camera}', 'taken'), { restart: true });
    expect(await clock.until(replaced)).toEqual({
      result: 'reverted',
      why: expect.stringMatching(/taken is in use/),
    });
    expect(supervisor.run?.stats().cameras?.map(({ state }) => state)).toEqual([
      'running',
      'running',
    ]);
    supervisor.run?.stop();
    await clock.until(supervisor.done);
  });
});

function camerasOfTwo() {
  return { a: ticker({ frames: 5 }), b: ticker({ frames: 5 }) };
}

describe('a camera with a slow sink of its own', () => {
  it('leaves the others their rate', async () => {
    const clock = new VirtualClock();
    const sinks = [
      { sink: collector(clock, { ms: 1000 })({}), cameras: ['b'] },
      { sink: collector(clock)({}), name: 'fine', cameras: ['a'] },
    ];
    const cameras = {
      a: ticker({ live: true, frames: 100, periodMs: 100 }),
      b: ticker({ live: true, frames: 100, periodMs: 100 }),
    };
    const { summary } = await run({ cameras, operators: [model({ ms: 20 })], sinks }, clock);
    expectBalanced(summary);
    expect(summary.branches.find(({ camera }) => camera === 'a')?.delivered).toBe(100);
    expect(summary.branches.find(({ camera }) => camera === 'b')?.delivered).toBeLessThan(15);
  });
});

it('balances the ledger of every camera, whatever they do', async () => {
  const camera = fc.record({
    frames: fc.integer({ min: 1, max: 30 }),
    periodMs: fc.integer({ min: 1, max: 30 }),
    live: fc.boolean(),
    failAt: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(camera, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 30 }),
      fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
      async (cameras, workers, ms, stopAfterMs) => {
        const clock = new VirtualClock();
        const { sink } = sharedSink(clock, 3);
        const sources = cameras.map((options, i) => [`c${i}`, ticker(options)] as const);
        const input = {
          cameras: Object.fromEntries(sources),
          operators: [model({ ms, workers })],
          sinks: [sink({}), { sink: collector(clock, { ms: 4 })({}), queue: { limit: 2 } }],
        };
        const limit = stopAfterMs === undefined ? {} : { durationMs: stopAfterMs };
        const { summary } = await run(input, clock, limit);
        expectBalanced(summary);
      },
    ),
    { numRuns: 40 },
  );
});

describe('a run of several cameras', () => {
  it('names the camera in statistics, and pauses and resumes all', async () => {
    const clock = new VirtualClock();
    const pipeline = defineCameras({ cameras: camerasOfTwo(), sinks: [collector(clock)({})] });
    const handle = await startPipeline(pipeline, { clock, paused: true });
    await clock.advance(20);
    expect(handle.stats()).toMatchObject({ captured: 0, paused: true });
    handle.resume();
    const next = handle.nextFrame(new AbortController().signal, 'b');
    await clock.until(handle.done);
    expect(await next).toMatchObject({ camera: 'b', seq: 0 });
    const { stages, branches, cameras, captured } = handle.stats();
    expect(captured).toBe(10);
    expect(stages.map(({ stage, camera }) => [stage, camera])).toContainEqual(['a/ticker', 'a']);
    expect(branches.map(({ name, camera }) => [name, camera])).toEqual([
      ['a/collector', 'a'],
      ['b/collector', 'b'],
    ]);
    expect(cameras).toMatchObject([
      { name: 'a', captured: 5, processed: 5, state: 'ended' },
      { name: 'b', captured: 5, processed: 5, state: 'ended' },
    ]);
  });

  it('ends each camera after the frames that were asked for', async () => {
    const clock = new VirtualClock();
    const input = { cameras: camerasOf(2, { frames: 50 }), sinks: [collector(clock)({})] };
    const { summary } = await run(input, clock, { frames: 7 });
    expect(summary.cameras?.map(({ captured }) => captured)).toEqual([7, 7]);
  });

  it('says after a restart which cameras have failed: at once, or before their first frame', async () => {
    const clock = new VirtualClock();
    const failing = defineSource({
      name: 'failing',
      summary: 'Fails at its start or soon after, for tests.',
      emits: ['image'],
      options: z.strictObject({ ms: z.number() }),
      examples: [{ ms: 0 }],
      create: async ({ ms }) => {
        if (ms === 0) throw new Error('there is no camera');
        return new Observable<Frame>((subscriber) =>
          clock.after(ms, () => subscriber.error(new Error('it is unplugged'))),
        );
      },
    });
    const sink = collector(clock);
    const input = (more: CamerasInput['cameras'] = {}) =>
      defineCameras({
        cameras: { ...camerasOf(2, { frames: 100_000 }), ...more },
        sinks: [sink({})],
      });
    const supervisor = await Supervisor.start(input(), { clock });
    const cameras = { none: failing({ ms: 0 }), soon: failing({ ms: 500 }) };
    expect(await clock.until(supervisor.replace(input(cameras), { restart: true }))).toEqual({
      result: 'restarted',
      changed: ['cameras: c1, c2 → c1, c2, none, soon'],
      failed: [
        { camera: 'none', why: 'there is no camera' },
        { camera: 'soon', why: 'it is unplugged' },
      ],
    });
    const states = supervisor.run?.stats().cameras?.map(({ state }) => state);
    expect(states).toEqual(['running', 'running', 'failed', 'failed']);
    expect(await clock.until(supervisor.replace(input(), { restart: true }))).toEqual({
      result: 'restarted',
      changed: ['cameras: c1, c2, none, soon → c1, c2'],
    });
    supervisor.run?.stop();
    await clock.until(supervisor.done);
  });

  it('takes changes of queues while it runs, and restarts for other cameras', async () => {
    const clock = new VirtualClock();
    const of = (count: number, limit: number) =>
      defineCameras({
        cameras: camerasOf(count, { frames: 1000 }),
        sinks: [{ sink: sink({}), queue: { limit } }],
      });
    const sink = collector(clock);
    const supervisor = await Supervisor.start(of(2, 1), { clock });
    expect(await supervisor.replace(of(2, 3))).toEqual({
      result: 'changed',
      changed: [
        'c1: sinks[0] collector: queue.limit: 1 → 3',
        'c2: sinks[0] collector: queue.limit: 1 → 3',
      ],
    });
    expect(await supervisor.replace(of(3, 3))).toMatchObject({
      result: 'needs-restart',
      restart: ['cameras: c1, c2 → c1, c2, c3'],
    });
    const restarted = supervisor.replace(of(3, 3), { restart: true });
    expect(await clock.until(restarted)).toMatchObject({ result: 'restarted' });
    expect(supervisor.run?.stats().cameras).toHaveLength(3);
    supervisor.run?.stop();
    await clock.until(supervisor.done);
  });
});
