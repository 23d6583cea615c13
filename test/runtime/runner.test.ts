import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Clock, sleep } from '../../src/core/clock.ts';
import { defineSink, defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import type { RunOptions } from '../../src/runtime/run-handle.ts';
import { runPipeline, startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

const common = { summary: 'For tests.', options: z.strictObject({}), examples: [{}] };

/** A sink whose writes fail until `from` ms have passed; keeps the times of all attempts. */
function failing(clock: Clock, from: number, attempts: number[]) {
  return defineSink({
    ...common,
    name: 'failing',
    accepts: ['image'],
    create: async () => ({
      async write() {
        attempts.push(clock.now());
        if (clock.now() < from) throw new Error('busy');
      },
    }),
  })({});
}

async function start(input: Partial<PipelineInput>, options: RunOptions = {}) {
  const clock = (options.clock as VirtualClock | undefined) ?? new VirtualClock();
  const delivered: Frame[] = [];
  const run = await startPipeline(
    definePipeline({
      source: ticker({ frames: 50 }),
      sinks: [collector(clock, { delivered })({})],
      ...input,
    }),
    { clock, ...options },
  );
  const end = async () => {
    const summary = await clock.until(run.done);
    expect(summary.branches.map(imbalance)).toEqual(summary.branches.map(() => 0));
    expect(summary.violations).toEqual([]);
    return summary;
  };
  return { clock, run, delivered, end };
}

describe('on-error: retry', () => {
  it('doubles its pauses from 100 ms to 2 s', async () => {
    const clock = new VirtualClock();
    const attempts: number[] = [];
    const sinks = [{ sink: failing(clock, 9000, attempts), onError: 'retry' as const }];
    const { end } = await start({ source: ticker({ frames: 1 }), sinks }, { clock });
    // The source ends at once, and with it the retries would.
    expect((await end()).branches[0]).toMatchObject({ failed: 1 });
    const clock2 = new VirtualClock();
    const times: number[] = [];
    const kept = [{ sink: failing(clock2, 9000, times), onError: 'retry' as const }];
    const second = await start(
      { source: ticker({ frames: 2, periodMs: 20_000 }), sinks: kept },
      { clock: clock2 },
    );
    const { branches } = await second.end();
    expect(branches[0]).toMatchObject({ delivered: 2, failed: 0 });
    const pauses = times.slice(1, -1).map((at, i) => at - (times[i] as number));
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  it('warns once per frame', async () => {
    const clock = new VirtualClock();
    const warnings: string[] = [];
    const sinks = [{ sink: failing(clock, 1000, []), onError: 'retry' as const }];
    const { end } = await start(
      { source: ticker({ frames: 3, periodMs: 3000 }), sinks },
      { clock, log: { debug: () => {}, info: () => {}, warn: (text) => warnings.push(text) } },
    );
    await end();
    expect(warnings).toEqual(['failing: frame 0 was not written, trying again: busy']);
  });
});

describe('on-error: skip', () => {
  it('counts each frame that is not written as failed, and says so', async () => {
    const clock = new VirtualClock();
    const warnings: string[] = [];
    const sinks = [{ sink: failing(clock, 25, []), onError: 'skip' as const }];
    const { end } = await start(
      { source: ticker({ frames: 5 }), sinks },
      { clock, log: { debug: () => {}, info: () => {}, warn: (text) => warnings.push(text) } },
    );
    const { branches, error } = await end();
    expect(branches[0]).toMatchObject({ delivered: 2, failed: 3 });
    expect(error).toBeUndefined();
    // At most one warning in 5 s; the others are counted.
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/frame 0 was not written/);
  });
});

describe('a run', () => {
  it.each([1, 7, 50])('ends after %i frames', async (frames) => {
    const { delivered, end } = await start({}, { frames });
    const { captured, branches } = await end();
    expect(captured).toBe(frames);
    expect(branches[0]?.delivered).toBe(frames);
    expect(delivered.map(({ seq }) => seq)).toEqual([...Array(frames).keys()]);
  });

  it('delivers everything after its frames, however slow the sink', async () => {
    const clock = new VirtualClock();
    const sinks = [{ sink: collector(clock, { ms: 3000 })({}), queue: { limit: 4 } }];
    const { end } = await start({ sinks }, { clock, frames: 4 });
    expect((await end()).branches[0]).toMatchObject({ delivered: 4, dropped: [] });
  });

  it('ends after its duration', async () => {
    const { clock, end } = await start({}, { durationMs: 105 });
    const { captured } = await end();
    expect(captured).toBe(11);
    expect(clock.now()).toBeLessThan(200);
  });

  it('drops what is in flight when draining takes too long', async () => {
    const clock = new VirtualClock();
    const sinks = [{ sink: collector(clock, { ms: 1000 })({}), queue: { limit: 8 } }];
    const { run, end } = await start({ sinks }, { clock, drainMs: 1500 });
    clock.after(75, () => run.stop());
    const { branches, error } = await end();
    expect(error).toBeUndefined();
    expect(branches[0]).toMatchObject({
      captured: 8,
      delivered: 1,
      dropped: [
        { stage: 'collector queue', reason: 'stopped', count: 6 },
        { stage: 'collector', reason: 'stopped', count: 1 },
      ],
    });
  });

  it('is stopped by its signal, also by one that has aborted before', async () => {
    const stop = new AbortController();
    const { clock, end } = await start({}, { signal: stop.signal });
    clock.after(55, () => stop.abort());
    expect((await end()).captured).toBe(6);
    const again = start({}, { signal: AbortSignal.abort(new Error('too late')) });
    await expect(again).rejects.toThrow('too late');
  });

  it('fails with the error of its source and delivers what came before', async () => {
    const { delivered, end } = await start({
      source: ticker({ frames: 10, failAt: 4 }),
      operators: [slow({ ms: 30 })],
    });
    const { error } = await end();
    expect(error).toMatchObject({ code: 'SOURCE', at: 'source ticker' });
    expect(delivered).toHaveLength(4);
  });

  it('rejects by runPipeline with its error', async () => {
    const clock = new VirtualClock();
    const pipeline = definePipeline({
      source: ticker({ frames: 2, failAt: 1 }),
      sinks: [collector(clock)({})],
    });
    await expect(clock.until(runPipeline(pipeline, { clock }))).rejects.toThrow(
      'the camera failed',
    );
  });

  it('refuses what a source emits that is no frame', async () => {
    const odd = defineSource({
      ...common,
      name: 'odd',
      emits: ['image'],
      create: async () => (await import('rxjs')).of({ kind: 'nothing' } as unknown as Frame),
    });
    const { end } = await start({ source: odd({}) });
    const { error, captured } = await end();
    expect(error?.message).toBe(
      'emitted an object whose kind is "nothing"; a source must emit frames',
    );
    expect(captured).toBe(0);
  });

  it('closes what is open in reverse order, once, whatever fails', async () => {
    const closed: string[] = [];
    const closing = (name: string) =>
      defineSink({
        ...common,
        name,
        accepts: ['image'],
        create: async (_, context) => {
          for (const n of [1, 2]) {
            context.defer(async () => {
              await sleep(context.clock, 10);
              closed.push(`${name} ${n}`);
              if (name === 'second' && n === 2) throw new Error('the door is stuck');
            });
          }
          return { write: () => {} };
        },
      })({});
    const { end } = await start({ sinks: [closing('first'), closing('second')] });
    const { error } = await end();
    expect(closed).toEqual(['second 2', 'second 1', 'first 2', 'first 1']);
    expect(error).toMatchObject({ code: 'SINK', at: 'closing', message: 'the door is stuck' });
  });

  it('states its speed and latency', async () => {
    const clock = new VirtualClock();
    const sinks = [{ sink: collector(clock, { ms: 4 })({}) }];
    const { end } = await start({ source: ticker({ frames: 11, periodMs: 20 }), sinks }, { clock });
    const { fps, latencyMs, elapsedMs } = await end();
    expect(fps).toBeCloseTo(50, 5);
    expect(latencyMs?.p50).toBeCloseTo(4, 1);
    expect(elapsedMs).toBe(204);
  });
});
