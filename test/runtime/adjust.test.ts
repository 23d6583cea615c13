import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adjusted } from '../../src/core/adjusted.ts';
import { defineOperator, defineSink } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

/** Writes `by` into the pixels; `size` cannot change while it runs. */
const stamp = defineOperator({
  name: 'stamp',
  summary: 'Stamps frames, for tests.',
  accepts: ['image'],
  emits: ['image'],
  options: z.strictObject({ by: z.int().default(0), size: z.int().default(1) }),
  examples: [{}],
  adjustable: ['by'],
  create: async (options, context) => {
    const current = adjusted(options, context);
    return map((frame) => ({ ...frame, data: new Uint8Array(12).fill(current().by) }) as Frame);
  },
});

const refusing = defineOperator({
  name: 'refusing',
  summary: 'Takes no change, for tests.',
  accepts: ['image'],
  emits: ['image'],
  options: z.strictObject({ by: z.int().default(0) }),
  examples: [{}],
  adjustable: ['by'],
  create: async () => map((frame) => frame),
});

async function started(input: (delivered: Frame[], clock: VirtualClock) => PipelineInput) {
  const clock = new VirtualClock();
  const delivered: Frame[] = [];
  const first = input(delivered, clock);
  const run = await startPipeline(definePipeline(first), { clock });
  return { clock, delivered, run, first };
}

const seqs = (frames: readonly Frame[]) => frames.map(({ seq }) => seq);
const upTo = (n: number) => Array.from({ length: n }, (_, seq) => seq);
const stampOf = (frame: Frame | undefined) => (frame as { data: Uint8Array }).data[0];

describe('a run that is given another pipeline', () => {
  it('takes changed options between two frames, without a gap', async () => {
    const { clock, delivered, run, first } = await started((frames, time) => ({
      source: ticker({ frames: 30 }),
      operators: [stamp({ by: 1 }), slow({ ms: 25 })],
      sinks: [collector(time, { delivered: frames })({})],
    }));
    await clock.advance(200);
    const other = definePipeline({ ...first, operators: [stamp({ by: 9 }), slow({ ms: 25 })] });
    expect(run.adjust(other)).toMatchObject({
      changed: ['operators[0] stamp: by: 1 → 9'],
      restart: [],
    });
    const summary = await clock.until(run.done);
    expect(seqs(delivered)).toEqual(upTo(30));
    const stamps = delivered.map(stampOf);
    expect(stamps[0]).toBe(1);
    expect(stamps.at(-1)).toBe(9);
    expect(stamps).toEqual(stamps.toSorted());
    expect(summary.branches.map(imbalance)).toEqual([0]);
  });

  it('changes nothing if anything needs a restart, and says what', async () => {
    const { clock, delivered, run, first } = await started((frames, time) => ({
      source: ticker({ frames: 20 }),
      operators: [stamp({ by: 1 })],
      sinks: [collector(time, { delivered: frames })({})],
    }));
    await clock.advance(50);
    const changed = run.adjust(
      definePipeline({
        ...first,
        source: ticker({ frames: 5 }),
        operators: [stamp({ by: 2, size: 3 })],
      }),
    );
    expect(changed.restart).toEqual([
      'source ticker: frames: 20 → 5',
      'operators[0] stamp: size: 1 → 3',
    ]);
    await clock.until(run.done);
    expect(delivered.map(stampOf)).toEqual(upTo(20).map(() => 1));
  });

  it('compares with what runs now, not with what ran first', async () => {
    const { clock, run, first } = await started((_, time) => ({
      source: ticker({ frames: 20 }),
      operators: [stamp({ by: 1 })],
      sinks: [collector(time)({})],
    }));
    const other = definePipeline({ ...first, operators: [stamp({ by: 2 })] });
    expect(run.adjust(other).changed).toHaveLength(1);
    expect(run.adjust(other).changed).toEqual([]);
    expect(run.adjust(definePipeline(first)).changed).toEqual(['operators[0] stamp: by: 2 → 1']);
    await clock.until(run.done);
  });

  it('undoes what it has changed if a component takes no change', async () => {
    const { clock, delivered, run, first } = await started((frames, time) => ({
      source: ticker({ frames: 20 }),
      operators: [stamp({ by: 1 }), refusing({ by: 1 })],
      sinks: [collector(time, { delivered: frames })({})],
    }));
    const other = { ...first, operators: [stamp({ by: 2 }), refusing({ by: 2 })] };
    expect(() => run.adjust(definePipeline(other))).toThrow(
      'operators[1] refusing does not take changed options',
    );
    await clock.until(run.done);
    expect(delivered.map(stampOf)).toEqual(upTo(20).map(() => 1));
  });

  it('takes changes of a sink that was left out', async () => {
    const absent = defineSink({
      name: 'absent',
      summary: 'Cannot work here, for tests.',
      accepts: ['image'],
      options: z.strictObject({ max: z.int().default(1) }),
      examples: [{}],
      adjustable: ['max'],
      create: async () => undefined,
    });
    const { clock, run, first } = await started((_, time) => ({
      source: ticker({ frames: 3 }),
      sinks: [collector(time)({}), absent({})],
    }));
    const [kept] = first.sinks;
    const other = definePipeline({ ...first, sinks: [kept as never, absent({ max: 2 })] });
    expect(run.adjust(other).changed).toEqual(['sinks[1] absent: max: 1 → 2']);
    await clock.until(run.done);
  });

  it.each([
    [
      'a sink more',
      (first: PipelineInput) => ({
        ...first,
        sinks: [...first.sinks, collector(new VirtualClock())({})],
      }),
      'sinks: collector → collector, collector-2',
    ],
    [
      'another operator',
      (first: PipelineInput) => ({ ...first, operators: [slow({})] }),
      'operators: stamp → slow',
    ],
    [
      'another function',
      (first: PipelineInput) => ({
        ...first,
        operators: [stamp({}), map((frame: Frame) => frame)],
      }),
      'operators: stamp → stamp, operator',
    ],
    [
      'another source',
      (first: PipelineInput) => ({
        ...first,
        source: { ...ticker({}), definition: { ...ticker({}).definition, name: 'other' } },
      }),
      'source: ticker → other',
    ],
    [
      'another on-error',
      (first: PipelineInput) => ({ ...first, sinks: [{ sink: first.sinks[0], onError: 'skip' }] }),
      'sinks[0] collector: on-error: "fail" → "skip"',
    ],
  ])('needs a restart for %s', async (_, change, words) => {
    const { clock, run, first } = await started((_frames, time) => ({
      source: ticker({ frames: 3 }),
      operators: [stamp({})],
      sinks: [collector(time)({})],
    }));
    const other = definePipeline(change(first) as PipelineInput);
    expect(run.adjust(other)).toMatchObject({ live: [], restart: [words] });
    await clock.until(run.done);
  });
});

describe('queues', () => {
  /** A source of 100 fps, and a sink that stands still after its first frame. */
  const stuck = async (queue: QueueOptions) => {
    const clock = new VirtualClock();
    const sink = defineSink({
      name: 'stuck',
      summary: 'Never ready, for tests.',
      accepts: ['image'],
      options: z.strictObject({}),
      examples: [{}],
      create: async () => ({ write: () => new Promise<void>(() => {}) }),
    });
    const input = (changed: QueueOptions) =>
      definePipeline({
        source: ticker({ frames: 1000 }),
        sinks: [{ sink: sink({}), queue: changed }],
      });
    const run = await startPipeline(input(queue), { clock });
    await clock.advance(200);
    const waiting = () => run.stats().stages.find(({ stage }) => stage === 'stuck queue')?.inside;
    const end = async () => {
      run.abort();
      const { branches, violations } = await clock.until(run.done);
      expect(violations).toEqual([]);
      expect(branches.map(imbalance)).toEqual([0]);
      return branches[0]?.dropped ?? [];
    };
    return { clock, run, waiting, end, adjust: (to: QueueOptions) => run.adjust(input(to)) };
  };

  it('let a stuck sink no longer hold the source', async () => {
    const { clock, run, adjust, end } = await stuck({ limit: 2, whenFull: 'block' });
    expect(run.stats().heldBy).toEqual(['sinks[0] stuck']);
    const { captured } = run.stats();
    expect(adjust({ limit: 2, whenFull: 'drop-oldest' }).changed).toEqual([
      'sinks[0] stuck: queue.when-full: "block" → "drop-oldest"',
    ]);
    expect(run.stats().heldBy).toEqual([]);
    await clock.advance(100);
    expect(run.stats().captured).toBeGreaterThan(captured + 5);
    await end();
  });

  it('hold the source again', async () => {
    const { run, adjust, end } = await stuck({ limit: 2, whenFull: 'drop-oldest' });
    adjust({ limit: 2, whenFull: 'block' });
    expect(run.stats().heldBy).toEqual(['sinks[0] stuck']);
    await end();
  });

  it('drop and count what a smaller one has no room for', async () => {
    const { waiting, adjust, end } = await stuck({ limit: 9, whenFull: 'drop-oldest' });
    expect(waiting()).toBe(9);
    adjust({ limit: 4, whenFull: 'drop-oldest' });
    expect(waiting()).toBe(4);
    const dropped = await end();
    expect(dropped.map(({ reason }) => reason)).toEqual(['queue full', 'stopped', 'stopped']);
  });

  it('drop nothing that a smaller blocking one holds', async () => {
    const { clock, waiting, adjust, end } = await stuck({ limit: 9, whenFull: 'block' });
    adjust({ limit: 4, whenFull: 'block' });
    await clock.advance(100);
    expect(waiting()).toBe(9);
    await end();
  });

  it('grow', async () => {
    const { clock, waiting, adjust, end } = await stuck({ limit: 2, whenFull: 'block' });
    adjust({ limit: 6, whenFull: 'block' });
    await clock.advance(200);
    expect(waiting()).toBe(6);
    await end();
  });

  it('of an operator change, too', async () => {
    const { clock, delivered, run, first } = await started((frames, time) => ({
      source: ticker({ frames: 40 }),
      operators: [{ operator: slow({ ms: 30 }), queue: { limit: 1, whenFull: 'block' as const } }],
      sinks: [collector(time, { delivered: frames })({})],
    }));
    await clock.advance(95);
    expect(run.stats().heldBy).toEqual(['operators[0] slow']);
    const queue = { limit: 3, whenFull: 'drop-oldest' as const };
    const other = { ...first, operators: [{ operator: slow({ ms: 30 }), queue }] };
    expect(run.adjust(definePipeline(other)).changed).toEqual([
      'operators[0] slow: queue.limit: 1 → 3',
      'operators[0] slow: queue.when-full: "block" → "drop-oldest"',
    ]);
    expect(run.stats().heldBy).toEqual([]);
    const { branches } = await clock.until(run.done);
    expect(branches.map(imbalance)).toEqual([0]);
    expect(delivered.length).toBeLessThan(40);
    expect(delivered.at(-1)?.seq).toBe(39);
  });
});
