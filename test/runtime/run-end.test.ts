import { getEventListeners } from 'node:events';
import { concatMap, EMPTY, filter, mergeWith, NEVER, Observable, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../src/core/clock.ts';
import { defineSink, defineSource } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { Frame } from '../../src/core/frame.ts';
import { SinkClosed } from '../../src/core/sink-closed.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import type { RunOptions } from '../../src/runtime/run-handle.ts';
import { runPipeline, startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

const sink = (
  name: string,
  write: (frame: Frame) => void | Promise<void>,
  open: (context: ComponentContext) => void = () => {},
) =>
  defineSink({
    ...{ name, summary: 'For tests.', accepts: ['image'], options: z.strictObject({}) },
    examples: [{}],
    async create(_, context) {
      open(context);
      return { write };
    },
  })({});

async function start(parts: Partial<PipelineInput>, options: RunOptions = {}) {
  const clock = new VirtualClock();
  await clock.advance(5000);
  const warnings: string[] = [];
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => warnings.push(text) };
  const pipeline = definePipeline({
    source: ticker({ frames: 3 }),
    sinks: [collector(clock)({})],
    ...parts,
  });
  const run = await startPipeline(pipeline, { clock, log, ...options });
  return { clock, run, warnings, end: () => clock.until(run.done) };
}

describe('a sink that its user closes', () => {
  const closing = (ends: 'branch' | 'run') =>
    sink('window', async ({ seq }) => {
      if (seq === 5) throw new SinkClosed('window closed', ends);
    });
  const beside = async (ends: 'branch' | 'run') => {
    const clock = new VirtualClock();
    const { end } = await start({
      source: ticker({ frames: 50 }),
      sinks: [closing(ends), collector(clock)({})],
    });
    return end();
  };

  it('ends the run if it asks for that', async () => {
    const { error, branches, captured } = await beside('run');
    expect(error).toBeUndefined();
    expect(captured).toBeLessThan(10);
    expect(branches[0]).toMatchObject({ delivered: 5, failed: 0 });
  });

  it('ends its branch, and the other goes on', async () => {
    const { error, branches } = await beside('branch');
    expect(error).toBeUndefined();
    expect(branches[1]).toMatchObject({ captured: 50, delivered: 50 });
  });
});

describe('operators of a branch that end when they are connected', () => {
  const ended = () => EMPTY;

  it('end the run if that was the only branch, and no frame is asked for', async () => {
    const clock = new VirtualClock();
    const branch = { sink: collector(clock)({}), operators: [ended] };
    const { end, warnings } = await start({ sinks: [branch] });
    const { captured, error } = await end();
    expect([captured, error, warnings]).toEqual([0, undefined, []]);
  });

  it('leave the run to the other branch', async () => {
    const clock = new VirtualClock();
    const branch = { sink: collector(clock)({}), operators: [ended] };
    const { end } = await start({ sinks: [branch, sink('other', () => {})] });
    expect((await end()).branches).toMatchObject([
      { delivered: 0, dropped: [{ reason: 'operators ended', count: 3 }] },
      { delivered: 3 },
    ]);
  });

  it('fail the run before its source starts, if they fail', async () => {
    let subscriptions = 0;
    const source = defineSource({
      ...{ name: 'counted', summary: 'For tests.', emits: ['image'], examples: [{}] },
      options: z.strictObject({}),
      create: async () =>
        new Observable<Frame>(() => {
          subscriptions++;
        }),
    })({});
    const clock = new VirtualClock();
    const fails = () => throwError(() => new Error('not today'));
    const branch = { sink: collector(clock)({}), operators: [fails] };
    const { end } = await start({ source, sinks: [branch, sink('other', () => {})] });
    expect((await end()).error).toMatchObject({ code: 'OPERATOR', message: 'not today' });
    expect(subscriptions).toBe(0);
  });
});

describe('operators that do not complete after the source', () => {
  const elapsed = async (parts: Partial<PipelineInput>, options: RunOptions = {}) => {
    const { end, warnings } = await start({ source: ticker({ frames: 3 }), ...parts }, options);
    const { elapsedMs, violations } = await end();
    expect(violations).toEqual([]);
    expect(warnings.filter((text) => text.includes('has not completed'))).toHaveLength(1);
    return Math.round((elapsedMs - 20) / 100) * 100;
  };
  const unending = mergeWith<Frame, Frame[]>(NEVER);
  const nothing = filter<Frame>(() => false);

  it('are ended after the drain time, 100 ms at least', async () => {
    expect(await elapsed({ operators: [unending] })).toBe(1500);
    expect(await elapsed({ operators: [unending] }, { drainMs: 700 })).toBe(700);
    expect(await elapsed({ operators: [unending] }, { drainMs: 0 })).toBe(100);
  });

  it('of a branch get the same', async () => {
    const clock = new VirtualClock();
    const branch = (operators: (typeof unending)[]) => ({
      sinks: [{ sink: collector(clock)({}), operators }],
    });
    expect(await elapsed(branch([unending]))).toBe(1500);
    expect(await elapsed(branch([unending]), { drainMs: 700 })).toBe(700);
    expect(await elapsed(branch([nothing, unending]))).toBe(10_000);
  });

  it('get ten seconds if one of them may hold frames', async () => {
    expect(await elapsed({ operators: [nothing, unending] })).toBe(10_000);
    expect(await elapsed({ operators: [unending, nothing] }, { drainMs: 20_000 })).toBe(20_000);
  });

  it('get the drain time alone if the run was to end there', async () => {
    const source = ticker({ frames: 50 });
    expect(await elapsed({ source, operators: [nothing, unending] }, { frames: 3 })).toBe(1500);
  });

  it.each<[string, RunOptions]>([
    ['after the duration', { durationMs: 105 }],
    ['when it is stopped', {}],
  ])('in a branch are named %s too', async (_, options) => {
    const clock = new VirtualClock();
    const step = { sink: collector(clock)({}), operators: [nothing, unending] };
    const { run, end, warnings } = await start(
      { source: ticker({ frames: 50 }), sinks: [step, sink('other', () => {})] },
      options,
    );
    if (options.durationMs === undefined) run.stop();
    const { error, violations } = await end();
    expect({ error, violations }).toEqual({ error: undefined, violations: [] });
    expect(warnings).toEqual([
      'collector: operator "collector operator #2" has not completed after its input; it was ended',
    ]);
  });

  it('are named when the run is ended while they have more time', async () => {
    const { end, warnings } = await start({ operators: [nothing, unending] }, { durationMs: 105 });
    expect(Math.round((await end()).elapsedMs)).toBe(1605);
    expect(warnings).toEqual([
      'operator "operator #2" has not completed after its input; it was ended',
    ]);
  });

  it('are not blamed for frames that they are still working on', async () => {
    const operators = [slow({ ms: 60_000 }), filter<Frame>(() => true)];
    const { end, warnings } = await start({ operators }, { durationMs: 105 });
    expect(Math.round((await end()).elapsedMs)).toBe(1605);
    expect(warnings).toEqual([]);
  });

  it('are not blamed for a sink that is slow', async () => {
    const clock = new VirtualClock();
    const slowSink = sink('slow', () => sleep(clock, 60_000));
    const pass = filter<Frame>(() => true);
    const parts = { sinks: [{ sink: slowSink, operators: [pass] }] };
    const { run, warnings } = await start(parts, { clock });
    await clock.advance(10);
    run.stop();
    await clock.until(run.done);
    expect(warnings).toEqual([]);
  });

  it('are not ended while frames are in flight or still come', async () => {
    const inFlight = await start({ operators: [slow({ ms: 4000 })] });
    expect((await inFlight.end()).branches[0]?.delivered).toBe(3);
    const pass = filter<Frame>(() => true);
    const before = await start({ operators: [slow({ ms: 4000 }), pass] });
    expect((await before.end()).branches[0]?.delivered).toBe(3);
    expect(before.warnings).toEqual([]);
    const clock = new VirtualClock();
    const each = concatMap(async (frame: Frame) => {
      await sleep(clock, 1000);
      return frame;
    });
    const delivered: Frame[] = [];
    const pipeline = definePipeline({
      source: ticker({ frames: 15 }),
      operators: [each],
      sinks: [collector(clock, { delivered })({})],
    });
    await clock.until((await startPipeline(pipeline, { clock })).done);
    expect(delivered).toHaveLength(15);
  });
});

describe('what a run reports', () => {
  it('counts time from its start', async () => {
    const { clock, run, end } = await start({ source: ticker({ frames: 11, periodMs: 100 }) });
    await clock.advance(550);
    const { elapsedMs, branches, captured } = run.stats();
    expect([elapsedMs, captured]).toEqual([550, 6]);
    expect(branches).toMatchObject([{ name: 'collector', captured: 6, delivered: 6, ageMs: 0 }]);
    const summary = await end();
    expect(summary.elapsedMs).toBe(1000);
    expect(summary.fps).toBeCloseTo(10, 5);
  });

  it('states no speed of a single frame', async () => {
    const { end } = await start({ source: ticker({ frames: 1 }) });
    expect((await end()).fps).toBe(0);
  });

  it('has what components add, by name, and what was restarted', async () => {
    const reporting = (name: string, report: Record<string, unknown>, restarts: number) =>
      sink(
        name,
        () => {},
        (context) => {
          context.summary(() => report);
          for (let n = 0; n < restarts; n++) context.restarted('it failed');
        },
      );
    const sinks = [reporting('video', { parts: 2 }, 2), reporting('file', { bytes: 5 }, 0)];
    const { components, restarts } = await (await start({ sinks })).end();
    expect(components).toEqual({ video: { parts: 2 }, file: { bytes: 5 } });
    expect(restarts).toEqual([{ stage: 'video', count: 2 }]);
  });

  it('lacks what a component fails to say, and names it', async () => {
    const closed: string[] = [];
    const saying = (name: string, report: () => Record<string, unknown>) =>
      sink(
        name,
        () => {},
        (context) => {
          context.defer(() => void closed.push(name));
          context.summary(report);
        },
      );
    const fails = saying('mean', () => {
      throw new TypeError('there was no frame');
    });
    const sinks = [fails, saying('file', () => ({ bytes: 5 }))];
    const summary = await (await start({ sinks })).end();
    expect(summary).toMatchObject({
      captured: 3,
      components: { file: { bytes: 5 } },
      error: { at: 'summary of mean', message: 'there was no frame', exitCode: 1 },
    });
    expect(closed).toEqual(['file', 'mean']);
  });

  it('is what runPipeline resolves with', async () => {
    const clock = new VirtualClock();
    const pipeline = definePipeline({
      source: ticker({ frames: 3 }),
      sinks: [collector(clock)({})],
    });
    const summary = await clock.until(runPipeline(pipeline, { clock }));
    expect(summary).toMatchObject({ captured: 3, violations: [] });
  });
});

it('leaves no listener on the signal it was given', async () => {
  const { signal } = new AbortController();
  const { end } = await start({}, { signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await end();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('names every option that is wrong, one a line', async () => {
  await expect(start({}, { frames: 0, durationMs: 0, drainMs: -1 })).rejects.toThrow(
    /^frames .*\ndurationMs .*\ndrainMs .*$/,
  );
});

it('stays aborted: a stop afterwards changes nothing', async () => {
  const { run, end } = await start({ source: ticker({ frames: 500 }) });
  run.abort();
  const summary = await end();
  run.abort();
  run.stop();
  expect(await run.done).toBe(summary);
});
