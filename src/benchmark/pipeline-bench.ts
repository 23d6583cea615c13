import { powerMode } from '../device/power.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Percentiles } from '../runtime/latency.ts';
import { BareModel, type BareOptions, type Rate } from './bare-model.ts';
import { measureRound, type Round, type RoundOptions } from './pipeline-round.ts';
import { limitOf } from './samples.ts';
import { type Measured, measured } from './statistics.ts';

export interface PipelineBenchOptions extends RoundOptions {
  readonly rounds: number;
  readonly onRound?: () => void;
}

/** CPU time per frame that reached the sinks, milliseconds. */
export interface CpuPerFrame {
  /** All processes. */
  readonly total: Measured;
  /** Child processes that capture and resize. */
  readonly capture: Measured;
  /** Child processes of sinks: video, display. */
  readonly output: Measured;
  /** The main thread's share of each stage. */
  readonly stages: Readonly<Record<string, Measured>>;
  /** The rest of the main thread: receiving frames, event loop, garbage collection. */
  readonly mainThread: Measured;
  /** Threads that run models, copying and checking included. */
  readonly inference: Measured;
  /** The model alone, in a bare loop; none if no operator runs one. */
  readonly bareInference?: Measured;
  /** ZeroMQ's own threads. */
  readonly zeromq: Measured;
  /** The other threads: encoders of files, V8's compiler and garbage collector. */
  readonly otherThreads: Measured;
}

export interface PipelineBench {
  readonly pipeline: string;
  /** Of the model in a bare loop, with the same workers and threads. */
  readonly bare?: BareOptions & { readonly fps: Measured };
  /** Frames per second through all operators. */
  readonly fps: Measured;
  /** Frames per second through the model, relative to the bare model just before and after. */
  readonly ratio?: Measured;
  /** What limits the speed, most often: the model, the source, or what holds the source. */
  readonly limitedBy?: string;
  /** Processors that other programs used meanwhile. */
  readonly foreignProcessors: Measured;
  readonly cpuMsPerFrame: CpuPerFrame;
  readonly eventLoopMs: { readonly p50: Measured; readonly p99: Measured };
  /** Capture to delivery, by branch. */
  readonly latencyMs: Readonly<Record<string, Record<keyof Percentiles, Measured>>>;
  /** Of all processes. */
  readonly peakMemoryMiB: Measured;
  /** Heap and buffers of the main thread; an upper bound, since growth between samples may be freed. */
  readonly allocatedKiBPerFrame: Measured;
  /** From the start of the run to the first frame at a sink. */
  readonly startUpMs: Measured;
  /** Of the whole machine, if a meter was given. */
  readonly power?: {
    readonly sensor: string;
    readonly mode: string | undefined;
    readonly watts: Measured;
    readonly mJPerFrame: Measured;
  };
}

/**
 * Measures a pipeline in several rounds, and its model in a bare loop before and after each.
 *
 * @throws DepthlineError what the pipeline fails with, or `SOURCE` if it ends before it is measured
 */
export async function benchPipeline(
  pipeline: Pipeline,
  options: PipelineBenchOptions,
): Promise<PipelineBench> {
  const network = await networkOf(pipeline);
  const model = network?.model;
  const bare = model && (await BareModel.open(model));
  const limits: Rate[] = [];
  const rounds: Round[] = [];
  try {
    if (bare) limits.push(await bare.run(options.seconds, options.signal));
    while (rounds.length < options.rounds) {
      options.signal?.throwIfAborted();
      rounds.push(await measureRound(pipeline, { ...options, network: network?.stage }));
      options.signal?.throwIfAborted();
      if (bare) limits.push(await bare.run(options.seconds, options.signal));
      options.onRound?.();
    }
  } finally {
    await bare?.close();
  }
  return {
    pipeline: pipeline.name,
    ...summarise(rounds, limits, model?.workers ?? 1),
    ...(model && { bare: { ...model, fps: measured(limits.map(({ fps }) => fps)) } }),
    ...(options.power && {
      power: {
        sensor: options.power.sensor,
        mode: powerMode()?.name,
        watts: measured(rounds.map(({ joules, seconds }) => joules / seconds)),
        mJPerFrame: measured(
          rounds.map(({ joules, seconds, fps }) => (1000 * joules) / seconds / fps),
        ),
      },
    }),
  };
}

/** The network of the pipeline's first operator that has one, and the name of that stage. */
async function networkOf(
  pipeline: Pipeline,
): Promise<{ readonly model: BareOptions; readonly stage: string } | undefined> {
  const { operators, branches, baseDirectory } = pipeline;
  const all = [
    ...operators.map((step) => ({ step, stage: step.name })),
    ...branches.flatMap((branch) =>
      branch.operators.map((step) => ({ step, stage: `${branch.name} ${step.name}` })),
    ),
  ];
  for (const { step, stage } of all) {
    const { definition, options } = step.component ?? {};
    const used = await definition?.network?.(options, { fused: [], baseDirectory });
    if (used) return { model: { ...(used as BareOptions), baseDirectory }, stage };
  }
  return undefined;
}

/** The value that comes most often. */
function usual(values: readonly string[]): string {
  const count = (value: string) => values.filter((other) => other === value).length;
  return values.toSorted((a, b) => count(b) - count(a))[0] as string;
}

/** @param limits of the bare model: before the first round and after each; none without a model */
export function summarise(rounds: readonly Round[], limits: readonly Rate[], workers: number) {
  const all = (value: (round: Round, i: number) => number) => measured(rounds.map(value));
  const beside = (i: number, of: keyof Rate) =>
    ((limits[i]?.[of] as number) + (limits[i + 1]?.[of] as number)) / 2;
  const compared = limits.length > 0;
  const first = rounds[0] as Round;
  const stages = Object.keys(first.stages);
  const branches = new Set(rounds.flatMap(({ latencyMs }) => Object.keys(latencyMs)));
  const inStages = ({ stages }: Round) => Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return {
    fps: all(({ fps }) => fps),
    ...(compared && {
      ratio: all(({ modelFps }, i) => modelFps / beside(i, 'fps')),
      limitedBy: usual(rounds.map((round) => limitOf(round, workers))),
    }),
    foreignProcessors: all(({ foreignProcessors }) => foreignProcessors),
    cpuMsPerFrame: {
      total: all(({ cpu }) => cpu.total),
      capture: all(({ cpu }) => cpu.capture),
      output: all(({ cpu }) => cpu.output),
      stages: Object.fromEntries(
        stages.map((name) => [name, all(({ stages }) => stages[name] ?? 0)]),
      ),
      mainThread: all((round) => round.cpu.main - inStages(round)),
      inference: all(({ cpu }) => cpu.inference),
      ...(compared && {
        bareInference: measured(limits.map(({ cpuMsPerFrame }) => cpuMsPerFrame)),
      }),
      zeromq: all(({ cpu }) => cpu.zeromq),
      otherThreads: all(({ cpu }) => cpu.others),
    },
    eventLoopMs: {
      p50: all(({ eventLoopMs }) => eventLoopMs.p50),
      p99: all(({ eventLoopMs }) => eventLoopMs.p99),
    },
    latencyMs: Object.fromEntries(
      [...branches].toSorted().map((name) => {
        const delivering = rounds.flatMap(({ latencyMs }) => latencyMs[name] ?? []);
        const at = (p: keyof Percentiles) => measured(delivering.map((ms) => ms[p]));
        return [name, { p50: at('p50'), p95: at('p95'), p99: at('p99') }];
      }),
    ),
    peakMemoryMiB: all((round) => round.peakMemoryMiB),
    allocatedKiBPerFrame: all((round) => round.allocatedKiBPerFrame),
    startUpMs: all(({ startUpMs }) => startUpMs),
  };
}
