import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../src/core/clock.ts';
import { defineSink, defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import type { Run, RunSummary } from '../../src/runtime/run-handle.ts';
import { Supervisor, type SupervisorOptions } from '../../src/runtime/supervisor.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';
import { collector, ticker } from '../support/parts.ts';

/** A sink that is slow to open, or does not open. */
const opening = defineSink({
  name: 'opening',
  summary: 'Takes its time to open, for tests.',
  accepts: ['image'],
  options: z.strictObject({ ms: z.number().default(0), fails: z.boolean().default(false) }),
  examples: [{}],
  create: async ({ ms, fails }, { clock, signal }) => {
    if (ms > 0) await sleep(clock, ms, signal);
    if (fails) throw new Error('there is no room');
    return { write: () => {} };
  },
});

/** A source that opens, and fails a moment later: before its first frame, or after it. */
const failing = defineSource({
  name: 'failing',
  summary: 'Fails soon, for tests.',
  emits: ['image'],
  options: z.strictObject({ frames: z.number().default(0), ms: z.number().default(0) }),
  examples: [{}],
  create: async ({ frames, ms }, { clock }) =>
    new Observable<Frame>((subscriber) => {
      for (let seq = 0; seq < frames; seq++) subscriber.next(imageFrame(2, 2, seq));
      return clock.after(ms, () => subscriber.error(new Error('it is unplugged')));
    }),
});

async function supervised(options: SupervisorOptions = {}, frames = 100_000) {
  const clock = new VirtualClock();
  const delivered: { seq: number; at: number }[] = [];
  const sink = collector(clock, {
    delivered: {
      push: ({ seq }: { seq: number }) => delivered.push({ seq, at: clock.now() }),
    } as never,
  });
  const input = (given: {
    source?: PipelineInput['source'];
    periodMs?: number;
    limit?: number;
    ms?: number;
    fails?: boolean;
  }) =>
    definePipeline({
      source: given.source ?? ticker({ frames, periodMs: given.periodMs ?? 10 }),
      sinks: [
        { sink: sink({}), queue: { limit: given.limit ?? 1 } },
        opening({ ms: given.ms ?? 0, fails: given.fails ?? false }),
      ],
    } satisfies PipelineInput);
  const runs: Run[] = [];
  const replaced: RunSummary[] = [];
  const supervisor = await Supervisor.start(input({}), {
    clock,
    onRun: (run) => runs.push(run),
    onReplaced: (summary) => replaced.push(summary),
    ...options,
  });
  const end = async () => {
    supervisor.run?.stop();
    const last = await clock.until(supervisor.done);
    for (const { branches, violations, error } of [...replaced, last]) {
      expect(error).toBeUndefined();
      expect(violations).toEqual([]);
      expect(branches.map(imbalance)).toEqual([0, 0]);
    }
    return last;
  };
  return { clock, supervisor, input, runs, replaced, delivered, end };
}

describe('a supervised run', () => {
  it('changes while it runs, if it can', async () => {
    const { clock, supervisor, input, runs, delivered, end } = await supervised();
    await clock.advance(105);
    expect(await supervisor.replace(input({ limit: 3 }))).toEqual({
      result: 'changed',
      changed: ['sinks[0] collector: queue.limit: 1 → 3'],
    });
    expect(await supervisor.replace(input({ limit: 3 }))).toEqual({ result: 'unchanged' });
    await clock.advance(100);
    await end();
    expect(runs).toHaveLength(1);
    expect(delivered.map(({ seq }) => seq)).toEqual(delivered.map((_, index) => index));
  });

  it('gives as many frames over a restart as were asked for, though a camera loses some', async () => {
    const clock = new VirtualClock();
    const delivered: Frame[] = [];
    const slow = collector(clock, { ms: 25, delivered });
    const of = (periodMs: number) =>
      definePipeline({
        source: ticker({ live: true, frames: 100_000, periodMs }),
        sinks: [slow({})],
      });
    const supervisor = await Supervisor.start(of(10), { clock, frames: 40 });
    await clock.advance(400);
    await clock.until(supervisor.replace(of(11), { restart: true }));
    await clock.until(supervisor.done);
    expect(delivered).toHaveLength(40);
  });

  it('says what needs a restart, and runs on', async () => {
    const { clock, supervisor, input, runs, end } = await supervised();
    expect(await supervisor.replace(input({ periodMs: 20, limit: 3 }))).toEqual({
      result: 'needs-restart',
      restart: ['source ticker: periodMs: 10 → 20'],
      changed: ['sinks[0] collector: queue.limit: 1 → 3'],
    });
    await clock.advance(100);
    await end();
    expect(runs).toHaveLength(1);
  });

  it('restarts if asked: drains, closes, starts again', async () => {
    const { clock, supervisor, input, runs, replaced, delivered, end } = await supervised();
    await clock.advance(105);
    const before = delivered.length;
    const answer = supervisor.replace(input({ periodMs: 20 }), { restart: true });
    expect(await clock.until(answer)).toEqual({
      result: 'restarted',
      changed: ['source ticker: periodMs: 10 → 20'],
    });
    expect(runs).toHaveLength(2);
    expect(replaced[0]?.branches[0]).toMatchObject({ delivered: before, inFlight: 0 });
    await clock.advance(100);
    const gaps = delivered
      .slice(before + 1)
      .map(({ at }, i) => at - (delivered[before + i]?.at as number));
    expect(new Set(gaps)).toEqual(new Set([20]));
    expect(delivered[before]?.seq).toBe(0);
    // What runs now is what the next change is compared with.
    expect(await supervisor.replace(input({ periodMs: 20 }))).toEqual({ result: 'unchanged' });
    await end();
  });

  it.each([0, 200])(
    'goes back if the new source fails after %i ms, before its first frame',
    async (ms) => {
      const { clock, supervisor, input, replaced, delivered, end } = await supervised();
      await clock.advance(105);
      const broken = input({ source: failing({ ms }) });
      expect(await clock.until(supervisor.replace(broken, { restart: true }))).toEqual({
        result: 'reverted',
        why: 'source failing: it is unplugged',
      });
      const before = delivered.length;
      await clock.advance(100);
      expect(delivered.length).toBeGreaterThan(before);
      expect(replaced).toHaveLength(1);
      await end();
    },
  );

  it('does not go back from a source that fails after its first frame', async () => {
    const { clock, supervisor, input } = await supervised();
    await clock.advance(105);
    const later = input({ source: failing({ frames: 1, ms: 10 }) });
    const answer = await clock.until(supervisor.replace(later, { restart: true }));
    expect(answer.result).toBe('restarted');
    expect((await clock.until(supervisor.done)).error?.message).toContain('it is unplugged');
  });

  it('goes back to the pipeline before if the new one does not start', async () => {
    const { clock, supervisor, input, runs, delivered, end } = await supervised();
    await clock.advance(105);
    const answer = supervisor.replace(input({ fails: true }), { restart: true });
    expect(await clock.until(answer)).toEqual({
      result: 'reverted',
      why: 'sinks[1] opening: there is no room',
    });
    const before = delivered.length;
    await clock.advance(100);
    expect(delivered.length).toBeGreaterThan(before);
    expect(await supervisor.replace(input({}))).toEqual({ result: 'unchanged' });
    await end();
    expect(runs).toHaveLength(2);
  });

  it('refuses while a restart is in progress, and when it is over', async () => {
    const { clock, supervisor, input, end } = await supervised();
    await clock.advance(50);
    const first = supervisor.replace(input({ ms: 500 }), { restart: true });
    const busy = { result: 'refused', why: 'a restart is in progress' };
    expect(await supervisor.replace(input({}), { restart: true })).toEqual(busy);
    await clock.advance(100);
    expect(supervisor.run).toBeUndefined();
    expect(await supervisor.replace(input({ limit: 2 }))).toEqual(busy);
    expect((await clock.until(first)).result).toBe('restarted');
    await end();
    expect(await supervisor.replace(input({}))).toEqual({
      result: 'refused',
      why: 'the run is ending',
    });
  });

  it('stays paused over a restart', async () => {
    const { clock, supervisor, input, delivered, end } = await supervised();
    await clock.advance(50);
    supervisor.run?.pause();
    await clock.until(supervisor.replace(input({ periodMs: 20 }), { restart: true }));
    const before = delivered.length;
    await clock.advance(1000);
    expect(delivered).toHaveLength(before);
    supervisor.run?.resume();
    await clock.advance(100);
    expect(delivered.length).toBeGreaterThan(before);
    await end();
  });

  it('ends on its signal in the middle of a restart', async () => {
    const stop = new AbortController();
    const { clock, supervisor, input, runs, replaced } = await supervised({ signal: stop.signal });
    await clock.advance(50);
    const answer = supervisor.replace(input({ ms: 5000 }), { restart: true });
    await clock.advance(100);
    expect(supervisor.run).toBeUndefined();
    stop.abort();
    expect((await clock.until(answer)).result).toBe('refused');
    const summary = await clock.until(supervisor.done);
    expect(summary.branches.map(imbalance)).toEqual([0, 0]);
    expect(runs).toHaveLength(1);
    expect(replaced).toEqual([]);
  });

  it('counts frames and time over all runs', async () => {
    const { clock, supervisor, input, replaced } = await supervised({ frames: 30 });
    await clock.advance(105);
    await clock.until(supervisor.replace(input({ periodMs: 20 }), { restart: true }));
    const last = await clock.until(supervisor.done);
    expect((replaced[0]?.captured as number) + last.captured).toBe(30);

    const timed = await supervised({ durationMs: 1000 });
    await timed.clock.advance(605);
    await timed.clock.until(
      timed.supervisor.replace(timed.input({ periodMs: 20 }), { restart: true }),
    );
    await timed.clock.until(timed.supervisor.done);
    expect(timed.clock.now()).toBeLessThan(1100);
  });

  it('starts nothing again that is finished meanwhile', async () => {
    const { clock, supervisor, input, runs } = await supervised({ frames: 11 });
    await clock.advance(105);
    const answer = supervisor.replace(input({ periodMs: 20 }), { restart: true });
    expect((await clock.until(answer)).result).toBe('refused');
    expect((await clock.until(supervisor.done)).captured).toBe(11);
    expect(runs).toHaveLength(1);
  });

  it('fails if neither pipeline starts', async () => {
    const clock = new VirtualClock();
    let opened = 0;
    const once = defineSink({
      name: 'once',
      summary: 'Opens once, for tests.',
      accepts: ['image'],
      options: z.strictObject({ n: z.int().default(0) }),
      examples: [{}],
      create: async () => {
        if (++opened > 1) throw new Error('it is gone');
        return { write: () => {} };
      },
    });
    const input = (n: number) =>
      definePipeline({ source: ticker({ frames: 999 }), sinks: [once({ n })] });
    const supervisor = await Supervisor.start(input(0), { clock });
    const failed = expect(clock.until(supervisor.done)).rejects.toThrow('it is gone');
    const answer = supervisor.replace(input(1), { restart: true });
    expect((await clock.until(answer)).result).toBe('refused');
    await failed;
  });
});
