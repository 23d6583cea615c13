import {
  bufferCount,
  filter,
  map,
  merge,
  mergeMap,
  mergeWith,
  NEVER,
  type OperatorFunction,
  of,
  repeat,
  retry,
  scan,
  take,
  tap,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import { fullPolicies, type QueueOptions } from '../../src/core/queue-options.ts';
import {
  type BranchInput,
  definePipeline,
  type OperatorInput,
  type PipelineInput,
} from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { mapAsync } from '../../src/runtime/map-async.ts';
import type { RunSummary } from '../../src/runtime/run-handle.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';
import { fc } from '../support/property.ts';

const queue: fc.Arbitrary<QueueOptions> = fc.record(
  {
    limit: fc.integer({ min: 1, max: 5 }),
    whenFull: fc.constantFrom(...fullPolicies),
    maxAgeMs: fc.integer({ min: 1, max: 60 }),
  },
  { requiredKeys: ['limit', 'whenFull'] },
);

/** What a user may put between our operators. */
const users: Record<string, (clock: VirtualClock) => OperatorFunction<Frame, Frame>> = {
  filter: () => filter((frame) => frame.seq % 3 !== 0),
  nothing: () => filter(() => false),
  map: () => map((frame) => ({ ...frame })),
  tap: () => tap(() => {}),
  scan: () => scan((_, frame) => frame),
  twice: () => mergeMap((frame) => of(frame, frame)),
  buffered: () => (input) =>
    input.pipe(
      bufferCount(3),
      mergeMap((frames) => frames.slice(-1)),
    ),
  late: (clock) =>
    mergeMap(async (frame) => {
      await sleep(clock, (frame.seq % 4) * 7);
      return frame;
    }),
  async: (clock) =>
    mapAsync(
      async (frame) => {
        await sleep(clock, 8);
        return frame.seq % 5 === 0 ? undefined : frame;
      },
      { concurrency: 2 },
    ),
  doubled: () => (input) => merge(input, input),
  parted: () => (input) =>
    merge(
      input.pipe(filter(({ seq }) => seq % 2 === 0)),
      input.pipe(filter(({ seq }) => seq % 2 > 0)),
    ),
  early: () => take(5),
  unending: () => mergeWith(NEVER),
  again: () => (input) => input.pipe(take(2), repeat()),
  retried: () => (input) =>
    input.pipe(
      map((frame) => {
        if (frame.seq % 7 === 3) throw new Error('now and then');
        return frame;
      }),
      retry(),
    ),
  throws: () =>
    map((frame) => {
      if (frame.seq === 17) throw new Error('an operator of the user fails');
      return frame;
    }),
};

interface Graph {
  live: boolean;
  frames: number;
  periodMs: number;
  failAt: number | undefined;
  trunk: StepPlan[];
  branches: {
    queue: QueueOptions;
    ms: number;
    failOn: number[];
    onError: 'fail' | 'skip' | 'retry';
    operators: StepPlan[];
  }[];
  stopAfterMs: number | undefined;
  abort: boolean;
  /** Changes while it runs. */
  changes: { afterMs: number; to: 'paused' | 'running' | QueueOptions }[];
}

type StepPlan =
  | { user: string }
  | { ms: number; concurrency: number; ordered: boolean; failOn: number[]; queue: QueueOptions };

const seqs = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 });

const step: fc.Arbitrary<StepPlan> = fc.oneof(
  fc.record({ user: fc.constantFrom(...Object.keys(users)) }),
  fc.record({
    ms: fc.integer({ min: 0, max: 30 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    ordered: fc.boolean(),
    failOn: seqs,
    queue,
  }),
);

const graph: fc.Arbitrary<Graph> = fc.record({
  live: fc.boolean(),
  frames: fc.integer({ min: 0, max: 60 }),
  periodMs: fc.integer({ min: 0, max: 20 }),
  failAt: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined, freq: 5 }),
  trunk: fc.array(step, { maxLength: 3 }),
  branches: fc.array(
    fc.record({
      queue,
      ms: fc.integer({ min: 0, max: 40 }),
      failOn: seqs,
      onError: fc.constantFrom('fail' as const, 'skip' as const, 'retry' as const),
      operators: fc.array(step, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  stopAfterMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
  abort: fc.boolean(),
  changes: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 500 }),
      to: fc.oneof(fc.constantFrom('paused' as const, 'running' as const), queue),
    }),
    { maxLength: 4 },
  ),
});

function operators(plans: readonly StepPlan[], clock: VirtualClock): OperatorInput[] {
  return plans.map((plan) => {
    if ('user' in plan) return (users[plan.user] as (typeof users)[string])(clock);
    const { queue: behind, ...options } = plan;
    return { operator: slow(options), queue: behind };
  });
}

/** The same pipeline with other queues. */
function withQueues(
  { operators = [], sinks, ...rest }: PipelineInput,
  to: QueueOptions,
): PipelineInput {
  const queued = (steps: readonly OperatorInput[]) =>
    steps.map((one) => ('operator' in one ? { ...one, queue: to } : one));
  const branches = (sinks as readonly BranchInput[]).map((branch) => ({
    ...branch,
    operators: queued(branch.operators ?? []),
    queue: to,
  }));
  return { ...rest, operators: queued(operators), sinks: branches };
}

interface Outcome {
  summary: RunSummary;
  /** What each branch's sink really got, counted apart from the ledger. */
  received: Frame[][];
}

async function runGraph(plan: Graph): Promise<Outcome> {
  const received: Frame[][] = plan.branches.map(() => []);
  const clock = new VirtualClock();
  const { live, frames, periodMs, failAt } = plan;
  const input: PipelineInput = {
    source: ticker({ live, frames, periodMs, ...(failAt !== undefined && { failAt }) }),
    operators: operators(plan.trunk, clock),
    sinks: plan.branches.map(
      (branch, index): BranchInput => ({
        sink: collector(clock, { ...branch, delivered: received[index] as Frame[] })({}),
        queue: branch.queue,
        onError: branch.onError,
        operators: operators(branch.operators, clock),
      }),
    ),
  };
  const run = await startPipeline(definePipeline(input), { clock });
  for (const { afterMs, to } of plan.changes) {
    clock.after(afterMs, () => {
      if (to === 'paused') run.pause();
      else if (to === 'running') run.resume();
      else expect(run.adjust(definePipeline(withQueues(input, to))).restart).toEqual([]);
    });
  }
  if (plan.stopAfterMs !== undefined) {
    clock.after(plan.stopAfterMs, () => (plan.abort ? run.abort() : run.stop()));
  }
  // A sink that fails for ever and tries again for ever needs somebody to stop it.
  clock.after(20_000, () => run.stop());
  return { summary: await clock.until(run.done), received };
}

/** Only these may swallow or multiply frames; any other stage knows what became of each. */
const mayLose = /\b(operator|mapAsync)\b/;
const mayAdd = ['twice', 'doubled'];

/** More in the long form: FUZZ_RUNS=100000 npx vitest run test/runtime/ledger-law.test.ts */
const numRuns = Number(process.env.FUZZ_RUNS ?? 400);

describe('the ledger law', () => {
  it(
    'holds for any graph, policy, speed, failure and end',
    async () => {
      await fc.assert(
        fc.asyncProperty(graph, async (plan) => {
          const { summary, received } = await runGraph(plan);
          expect(summary.violations).toEqual([]);
          for (const [index, branch] of summary.branches.entries()) {
            expect(branch.inFlight).toBe(0);
            expect(imbalance(branch)).toBe(0);
            expect(branch.captured).toBe(summary.captured);
            expect(branch.delivered).toBe(received[index]?.length);
            const lost = branch.dropped.filter((drop) => drop.reason === 'filtered');
            expect(lost.map((drop) => drop.stage).filter((stage) => !mayLose.test(stage))).toEqual(
              [],
            );
            const steps = [...plan.trunk, ...(plan.branches[index]?.operators ?? [])];
            const adds = steps.some((one) => 'user' in one && mayAdd.includes(one.user));
            if (!adds) expect(branch.added).toBe(0);
          }
        }),
        { numRuns },
      );
    },
    Math.max(120_000, 30 * numRuns),
  );

  it('holds when an operator releases frames into an aborted one', async () => {
    const clock = new VirtualClock();
    const run = await startPipeline(
      definePipeline({
        source: ticker({ frames: 2, periodMs: 0 }),
        operators: [(users.buffered as (typeof users)[string])(clock), slow({ ms: 0 })],
        sinks: [collector(clock)({})],
      }),
      { clock },
    );
    clock.after(0, () => run.abort());
    const summary = await clock.until(run.done);
    expect(summary.violations).toEqual([]);
    expect(summary.branches.map(imbalance)).toEqual([0]);
  });

  it('needs nothing added and counts what an operator swallows at that operator', async () => {
    const clock = new VirtualClock();
    const swallowing = function everyThird(input) {
      return input.pipe(filter((frame) => frame.seq % 3 === 0));
    } satisfies OperatorFunction<Frame, Frame>;
    const run = await startPipeline(
      definePipeline({
        source: ticker({ frames: 30 }),
        operators: [swallowing],
        sinks: [collector(clock)({})],
      }),
      { clock },
    );
    const summary = await clock.until(run.done);
    expect(summary.branches[0]).toMatchObject({
      captured: 30,
      added: 0,
      delivered: 10,
      dropped: [{ stage: 'everyThird', reason: 'filtered', count: 20 }],
    });
  });

  it('gives every branch the frame on which another branch ends the run', async () => {
    const clock = new VirtualClock();
    const delivered: Frame[] = [];
    const failing = map((frame: Frame) => {
      if (frame.seq === 1) throw new Error('an operator of the user fails');
      return frame;
    });
    const run = await startPipeline(
      definePipeline({
        source: ticker({ frames: 5, periodMs: 1 }),
        sinks: [
          { sink: collector(clock)({}), operators: [failing] },
          {
            sink: collector(clock, { delivered })({}),
            operators: [{ operator: slow({ ms: 3 }), queue: { limit: 2 } }],
          },
        ],
      }),
      { clock },
    );
    const { error, branches } = await clock.until(run.done);
    expect(error?.message).toContain('an operator of the user fails');
    expect(branches.map(imbalance)).toEqual([0, 0]);
    expect(delivered.map(({ seq }) => seq)).toEqual([0, 1]);
  });

  it('would notice a frame that is counted twice or not at all', () => {
    const account = {
      name: 'x',
      captured: 10,
      added: 0,
      delivered: 6,
      dropped: [{ stage: 'a', reason: 'b', count: 3 }],
      failed: 0,
      inFlight: 0,
    };
    expect(imbalance(account)).toBe(1);
    expect(imbalance({ ...account, failed: 2 })).toBe(-1);
  });
});
