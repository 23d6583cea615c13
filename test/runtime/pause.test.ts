import { BehaviorSubject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import type { RunOptions } from '../../src/runtime/run-handle.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

async function started(live: boolean, options: RunOptions = {}) {
  const clock = new VirtualClock();
  const delivered: Frame[] = [];
  const run = await startPipeline(
    definePipeline({
      source: ticker({ frames: 5000, live }),
      operators: [slow({ ms: 4 })],
      sinks: [collector(clock, { delivered })({})],
    }),
    { clock, ...options },
  );
  const state = () => run.stats().stages[0]?.state;
  const end = async () => {
    run.stop();
    const { branches, violations } = await clock.until(run.done);
    expect(violations).toEqual([]);
    expect(branches.map(imbalance)).toEqual([0]);
  };
  return { clock, run, delivered, state, end };
}

describe('a pause', () => {
  it.each([true, false])('lets no frame through (live: %s), and ends', async (live) => {
    const { clock, run, delivered, end } = await started(live);
    await clock.advance(200);
    run.pause();
    expect(run.stats()).toMatchObject({ paused: true, heldBy: ['resume'] });
    await clock.advance(50);
    const before = delivered.length;
    await clock.advance(10_000);
    expect(delivered).toHaveLength(before);
    run.resume();
    expect(run.stats()).toMatchObject({ paused: false, heldBy: [] });
    await clock.advance(500);
    const ages = delivered
      .slice(before)
      .map(({ capturedAt }) => capturedAt - (delivered[0] as Frame).capturedAt);
    // None was captured before the pause ended, or a camera's frame would be as old as the pause.
    expect(Number(ages[0]) / 1e6).toBeGreaterThan(10_000);
    const next = delivered[before]?.seq as number;
    const last = delivered[before - 1]?.seq as number;
    if (live) expect(next).toBeGreaterThan(last + 900);
    else expect(next).toBe(last + 1);
    await end();
  });

  it('is no stall, and neither is the moment after it', async () => {
    const { clock, run, state, end } = await started(true);
    await clock.advance(1000);
    expect(state()).toBe('running');
    run.pause();
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000);
      expect(state()).toBe('blocked');
    }
    run.resume();
    expect(state()).not.toBe('stalled');
    await clock.advance(100);
    expect(state()).toBe('running');
    await end();
  });

  it('can be repeated, and each ends with one resume', async () => {
    const { clock, run, delivered, end } = await started(false);
    run.pause();
    run.pause();
    run.resume();
    await clock.advance(100);
    expect(delivered.length).toBeGreaterThan(0);
    run.resume();
    await end();
  });

  it('does not keep a run from ending', async () => {
    const { clock, run, end } = await started(false);
    await clock.advance(100);
    run.pause();
    await end();
  });

  it('may be there from the start', async () => {
    const { clock, run, delivered, end } = await started(false, { paused: true });
    await clock.advance(1000);
    expect(delivered).toEqual([]);
    run.resume();
    await clock.advance(100);
    expect(delivered[0]?.seq).toBe(0);
    await end();
  });
});

describe('the next frame', () => {
  const unwatched = (wanted: BehaviorSubject<boolean>) =>
    defineSink({
      name: 'unwatched',
      summary: 'Has no audience, for tests.',
      accepts: ['image'],
      options: z.strictObject({}),
      examples: [{}],
      create: async () => ({ wanted, write: () => {} }),
    })({});

  it('comes even while no sink wants frames, and only then something is captured', async () => {
    const clock = new VirtualClock();
    const run = await startPipeline(
      definePipeline({
        source: ticker({ frames: 1000 }),
        sinks: [unwatched(new BehaviorSubject(false))],
      }),
      { clock },
    );
    await clock.advance(500);
    expect(run.stats().captured).toBe(0);
    const frame = await clock.until(run.nextFrame(new AbortController().signal));
    expect(frame?.seq).toBe(0);
    await clock.advance(500);
    expect(run.stats()).toMatchObject({ captured: 1, heldBy: ['a subscriber'] });
    run.stop();
    const { branches } = await clock.until(run.done);
    expect(branches.map(imbalance)).toEqual([0]);
  });

  it.each(['the signal aborts', 'the run ends'])('is nothing when %s', async (how) => {
    const { clock, run } = await started(false, { paused: true });
    const stop = new AbortController();
    const next = run.nextFrame(stop.signal);
    if (how === 'the run ends') run.stop();
    else stop.abort();
    expect(await clock.until(next)).toBeUndefined();
    run.stop();
    await clock.until(run.done);
    expect(await run.nextFrame(new AbortController().signal)).toBeUndefined();
  });
});
