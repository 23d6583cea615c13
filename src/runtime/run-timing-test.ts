import { map, Observable } from 'rxjs';
import { sleep } from '../core/clock.ts';
import type { OperatorDefinition, SinkDefinition, SourceDefinition } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Concurrency } from '../core/component-facts.ts';
import type { Frame } from '../core/frame.ts';
import type { BranchAccount } from '../core/run-stats.ts';
import type { OperatorStep, Pipeline } from '../pipeline/pipeline.ts';
import type { Comparison, Figure, TimingTest } from '../pipeline/timing-test.ts';
import { mapAsync } from './map-async.ts';
import type { RunSummary } from './run-handle.ts';
import { startPipeline } from './runner.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Failure {
  readonly sink: string;
  readonly figure: Figure;
  readonly expected: string;
  readonly actual: number | undefined;
}

export interface TestResult {
  readonly name: string;
  readonly failures: readonly Failure[];
  readonly summary: RunSummary;
}

/**
 * Runs one test of a pipeline in virtual time. Queues, gate, ledger and back-pressure are real;
 * source, operators and sinks are simulated: they take the time that the test specifies and open
 * nothing.
 */
export async function runTimingTest(pipeline: Pipeline, test: TimingTest): Promise<TestResult> {
  const clock = new VirtualClock();
  const run = await startPipeline(standIns(pipeline, test), { clock });
  const summary = await clock.until(run.done);
  const failures = Object.entries(test.expect).flatMap(([sink, expected]) => {
    const account = summary.branches.find(({ name }) => name === sink);
    if (!account) return [];
    const actual = figures(account, summary);
    return (Object.entries(expected) as [Figure, Comparison][]).flatMap(([figure, comparison]) => {
      const value = actual[figure];
      if (value !== undefined && comparison.holds(value)) return [];
      return [{ sink, figure, expected: comparison.text, actual: value }];
    });
  });
  return { name: test.name, failures, summary };
}

function figures(
  account: BranchAccount & Pick<RunSummary, 'latencyMs'>,
  { elapsedMs }: RunSummary,
): Record<Figure, number | undefined> {
  const { captured, delivered, dropped, latencyMs } = account;
  return {
    captured,
    delivered,
    dropped: dropped.reduce((sum, { count }) => sum + count, 0),
    fps: (1000 * delivered) / elapsedMs,
    'age-p50': latencyMs?.p50,
    'age-p95': latencyMs?.p95,
    'age-p99': latencyMs?.p99,
  };
}

function standIns(pipeline: Pipeline, { source, takes }: TimingTest): Pipeline {
  const operator = (step: OperatorStep, name: string): OperatorStep =>
    step.component
      ? { ...step, component: { ...step.component, definition: timed(step, takes[name] ?? 0) } }
      : step;
  return {
    ...pipeline,
    source: {
      definition: ticking(pipeline.source.definition, source),
      options: pipeline.source.options,
    },
    operators: pipeline.operators.map((step) => operator(step, step.name)),
    branches: pipeline.branches.map((branch) => ({
      ...branch,
      sink: { definition: taking(branch.sink.definition, takes[branch.name] ?? 0), options: {} },
      operators: branch.operators.map((step) => operator(step, `${branch.name} ${step.name}`)),
    })),
  };
}

/** Frames at a steady rate. A live source loses frames that are not requested in time; others wait. */
function ticking(
  { name, summary, options, examples, emits, live }: SourceDefinition,
  { fps, frames }: TimingTest['source'],
): SourceDefinition {
  return {
    role: 'source',
    ...{ name, summary, options, examples, emits },
    async create(chosen, context) {
      const isLive = typeof live === 'function' ? live(chosen) : (live ?? false);
      return new Observable<Frame>((subscriber) => {
        const stop = new AbortController();
        const deliver = async () => {
          const { clock, gate } = context;
          const start = clock.now();
          for (let seq = 0; seq < frames && !stop.signal.aborted; seq++) {
            await sleep(clock, start + (seq * 1000) / fps - clock.now(), stop.signal);
            if (isLive && !gate.open) {
              context.dropped(1, 'at capture');
              continue;
            }
            await gate.opened(stop.signal);
            if (!stop.signal.aborted) subscriber.next(frameAt(seq, fps, context));
          }
          subscriber.complete();
        };
        deliver().catch((error: unknown) => subscriber.error(error));
        return () => stop.abort();
      });
    },
  };
}

function frameAt(seq: number, fps: number, { name, clock }: ComponentContext): Frame {
  return {
    kind: 'image',
    seq,
    pts: BigInt(Math.round((seq * 1e9) / fps)),
    capturedAt: clock.wall(),
    source: name,
    width: 1,
    height: 1,
    format: 'rgb',
    data: new Uint8Array(3),
  };
}

/** Of an operator that does not define it. */
const single: Concurrency = { workers: 1, ahead: 0 };

/** An operator that only waits. One that selects frames by their time runs unchanged. */
function timed({ component }: OperatorStep, ms: number): OperatorDefinition {
  const real = component?.definition as OperatorDefinition;
  const { role, name, summary, options, examples, accepts, emits, queued, picks } = real;
  const same = { role, name, summary, options, examples, accepts, emits };
  if (picks) return { ...same, create: real.create };
  return {
    ...same,
    async create(chosen, context) {
      if (!queued && ms === 0) return map((frame) => frame);
      const { queue, baseDirectory } = context;
      const plan = { queue, baseDirectory, fused: [] };
      const { workers, ahead } = (await real.concurrency?.(chosen, plan)) ?? single;
      const freeAt = new Array<number>(workers).fill(0);
      const work = async (frame: Frame) => {
        const now = context.clock.now();
        const worker = freeAt.indexOf(Math.min(...freeAt));
        const done = Math.max(now, freeAt[worker] as number) + ms;
        freeAt[worker] = done;
        await sleep(context.clock, done - now, context.signal);
        return frame;
      };
      return mapAsync(work, { concurrency: workers + ahead, context });
    },
  };
}

function taking(
  { role, name, summary, options, examples, accepts }: SinkDefinition,
  ms: number,
): SinkDefinition {
  return {
    ...{ role, name, summary, options, examples, accepts },
    create: async (_, { clock, signal }) => ({
      write: () => (ms === 0 ? undefined : sleep(clock, ms, signal)),
    }),
  };
}
