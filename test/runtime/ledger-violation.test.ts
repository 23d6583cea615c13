import { map, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../src/core/clock.ts';
import { defineOperator, defineSink, defineSource } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import {
  branchAccount,
  imbalance,
  ledgerViolations,
  StageLedger,
} from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';
import { collector, ticker } from '../support/parts.ts';

const common = { summary: 'For tests.', options: z.strictObject({}), examples: [{}] };

const sink = (write: (frame: Frame, context: ComponentContext) => void | Promise<void>) =>
  defineSink({
    ...common,
    name: 'writer',
    accepts: ['image'],
    create: async (_, context) => ({ write: (frame) => write(frame, context) }),
  })({});

const operator = (see: (context: ComponentContext, seq: number) => void) =>
  defineOperator({
    ...common,
    name: 'worker',
    accepts: ['image'],
    emits: 'same',
    create: async (_, context) =>
      map((frame: Frame) => {
        see(context, frame.seq);
        return frame;
      }),
  })({});

const source = (see: (context: ComponentContext) => void) =>
  defineSource({
    ...common,
    name: 'camera',
    emits: ['image'],
    create: async (_, context) =>
      new Observable<Frame>((subscriber) => {
        subscriber.next(imageFrame(2, 2, 0));
        see(context);
        subscriber.complete();
      }),
  })({});

async function run(parts: Partial<PipelineInput>) {
  const clock = new VirtualClock();
  const pipeline = definePipeline({
    source: ticker({ frames: 3 }),
    sinks: [collector(clock)({})],
    ...parts,
  });
  return clock.until((await startPipeline(pipeline, { clock })).done);
}

describe('a component that miscounts', () => {
  it.each<[string, Partial<PipelineInput>, RegExp]>([
    [
      'a sink that drops what it delivers',
      { sinks: [sink((_, context) => context.dropped(1, 'odd'))] },
      /writer: 3 frames counted twice/,
    ],
    [
      'a sink that fails on what it delivers',
      { sinks: [sink(async (_, context) => context.failed(1))] },
      /writer: 3 frames counted twice/,
    ],
    [
      'an operator that keeps frames in flight',
      { operators: [operator((context, seq) => context.inFlight(seq))] },
      /worker: 2 frames in flight after the end/,
    ],
    [
      'a source that fails on what it gives',
      { source: source((context) => context.failed(1)) },
      /camera: 1 frame counted twice/,
    ],
  ])('is noticed at the end of the run: %s', async (_, parts, message) => {
    const { error, violations } = await run(parts);
    expect(violations.join()).toMatch(message);
    expect(error).toMatchObject({ code: 'INTERNAL', exitCode: 1 });
    expect(error?.message).toMatch(message);
    expect(error?.message).toMatch(/this is a bug/);
  });

  it('does not hide what the run failed with', async () => {
    const { error, violations } = await run({
      sinks: [
        sink((frame, context) => {
          context.dropped(1, 'odd');
          if (frame.seq === 2) throw new Error('the disk is full');
        }),
      ],
    });
    expect(error?.message).toBe('the disk is full');
    expect(violations).toHaveLength(1);
  });

  it('is no operator that swallows or adds frames', async () => {
    const { error, violations, branches } = await run({
      operators: [(input) => input.pipe(map((frame) => frame))],
    });
    expect([error, violations]).toEqual([undefined, []]);
    expect(branches.map(imbalance)).toEqual([0]);
  });
});

describe('frames are accounted for once', () => {
  it.each([-9_999_999_999_999_999_999n, 9_999_999_999_999_999_999n, -(2n ** 80n)])(
    'if they were captured at %i',
    async (capturedAt) => {
      const write = async () => {};
      for (const one of [sink(() => {}), sink(write)]) {
        const { error, violations, branches } = await run({
          operators: [map((frame) => ({ ...frame, capturedAt }))],
          sinks: [one],
        });
        expect([error, violations]).toEqual([undefined, []]);
        expect(branches[0]).toMatchObject({ captured: 3, delivered: 3, failed: 0 });
      }
    },
  );

  it.each(['fail', 'skip', 'retry'] as const)(
    'if their write ends after it was given up, on-error: %s',
    async (onError) => {
      const clock = new VirtualClock();
      let writes = 0;
      const slow = sink(async () => {
        writes++;
        await sleep(clock, 1000);
        if (onError !== 'fail' && writes === 1) throw new Error('busy');
      });
      const pipeline = definePipeline({
        source: ticker({ frames: 5 }),
        sinks: [{ sink: slow, onError }],
      });
      const running = await startPipeline(pipeline, { clock, drainMs: 50 });
      clock.after(1500, () => running.stop());
      const { violations, branches } = await clock.until(running.done);
      await clock.advance(5000);
      expect(violations).toEqual([]);
      expect(branches.map(imbalance)).toEqual([0]);
      expect(branches[0]?.inFlight).toBe(0);
    },
  );
});

describe('the violations of a ledger', () => {
  const stages = () => {
    const all = ['source', 'operator', 'queue', 'sink'].map(
      (name) => new StageLedger(name, name === 'operator'),
    );
    for (const stage of all) Object.assign(stage, { entered: 10, left: 10 });
    return all as [StageLedger, StageLedger, StageLedger, StageLedger];
  };

  it('are none if every frame went through', () => {
    expect(ledgerViolations(stages())).toEqual([]);
    expect(imbalance(branchAccount('sink', stages()))).toBe(0);
  });

  it.each([
    [
      'a queue that loses a frame',
      2,
      { entered: 11 },
      ['10 frames left operator, but 11 entered queue', 'queue: 1 frame not accounted for'],
    ],
    ['a sink that counts one twice', 3, { failed: 1 }, ['sink: 1 frame counted twice']],
    ['a sink that loses one', 3, { left: 9 }, ['sink: 1 frame not accounted for']],
    [
      'a frame between two stages',
      1,
      { left: 9 },
      ['9 frames left operator, but 10 entered queue'],
    ],
    [
      'a frame in flight',
      1,
      { entered: 10, inFlight: 1, left: 10 },
      ['operator: 1 frame in flight after the end'],
    ],
  ])('show %s', (_, at, change, expected) => {
    const all = stages();
    Object.assign(all[at] as StageLedger, change);
    expect(ledgerViolations(all)).toEqual(expected);
  });

  it('show errors of two stages that cancel out in the account', () => {
    const all = stages();
    all[2].drop(1, 'odd');
    all[3].entered = 9;
    all[3].left = 10;
    expect(imbalance(branchAccount('sink', all))).toBe(-1);
    all[0].entered = 11;
    expect(imbalance(branchAccount('sink', all))).toBe(0);
    expect(ledgerViolations(all)).toHaveLength(4);
  });
});

describe('options of a run that cannot be meant', () => {
  it.each([
    [{ frames: 0 }, /frames must be a whole number, 1 or more/],
    [{ frames: -1 }, /frames/],
    [{ frames: 1.5 }, /frames/],
    [{ frames: Number.NaN }, /frames/],
    [{ durationMs: 0 }, /durationMs must be more than 0/],
    [{ durationMs: Number.NaN }, /durationMs/],
    [{ drainMs: -1 }, /drainMs must be 0 or more/],
  ])('%o are refused', async (options, message) => {
    const pipeline = definePipeline({
      source: ticker({ frames: 3 }),
      sinks: [collector(new VirtualClock())({})],
    });
    await expect(startPipeline(pipeline, options)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(message),
    });
  });
});
