import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DepthlineError } from '../core/errors.ts';
import type { Percentiles } from '../core/latency.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { Run, RunSummary } from '../core/run.ts';
import { startPipeline } from '../core/runner.ts';
import { StageTimes } from '../core/stage-times.ts';
import { type PowerMeter, powerMode } from '../device/power.ts';
import { findModel, verifyModel } from '../inference/model-files.ts';
import { inferenceThread } from '../inference/thread-name.ts';
import { chooseSettings } from '../inference/tuned-settings.ts';
import { BareModel, type BareOptions, type Rate } from './bare-model.ts';
import {
  commandLine,
  cpuMs,
  family,
  mainThreadMs,
  memoryMiB,
  otherThreadsMs,
} from './processes.ts';
import { type Measured, measured } from './statistics.ts';

export interface PipelineBenchOptions {
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Seconds before each measurement, until code is compiled and buffers are made. */
  readonly warmUp: number;
  readonly power?: PowerMeter | undefined;
  readonly signal?: AbortSignal;
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
  /** What is left of the main thread: receiving frames, event loop, garbage. */
  readonly mainThread: Measured;
  /** Threads that run models, copying and checking included. */
  readonly inference: Measured;
  /** The model alone, in a bare loop; none without `estimate-depth`. */
  readonly bareInference?: Measured;
  /** ZeroMQ's own threads. */
  readonly zeromq: Measured;
  /** What is left of the other threads: encoders of files, V8's compiler and garbage collector. */
  readonly otherThreads: Measured;
}

export interface PipelineBench {
  readonly pipeline: string;
  /** Of the model in a bare loop, with the same workers and threads. */
  readonly bare?: BareOptions & { readonly fps: Measured };
  /** Frames per second through all operators. */
  readonly fps: Measured;
  /** Beside the bare model, measured just before and after. */
  readonly ratio?: Measured;
  readonly cpuMsPerFrame: CpuPerFrame;
  readonly eventLoopMs: { readonly p50: Measured; readonly p99: Measured };
  /** Capture to delivery, by branch. */
  readonly latencyMs: Readonly<Record<string, Record<keyof Percentiles, Measured>>>;
  /** Of all processes. */
  readonly peakMemoryMiB: Measured;
  /** Heap and buffers of the main thread; a little more, since growth between samples may be freed. */
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

interface Round {
  readonly fps: number;
  readonly cpu: Readonly<
    Record<'total' | 'capture' | 'output' | 'main' | 'inference' | 'zeromq' | 'others', number>
  >;
  readonly stages: Readonly<Record<string, number>>;
  readonly eventLoopMs: { readonly p50: number; readonly p99: number };
  readonly latencyMs: Readonly<Record<string, Percentiles>>;
  readonly peakMemoryMiB: number;
  readonly allocatedKiBPerFrame: number;
  readonly startUpMs: number;
  readonly joules: number;
  readonly seconds: number;
}

/** Before any measurement the queues must be full. */
const leastWarmUpFrames = 30;
const firstFrameMs = 60_000;
const leastFrames = 10;

/**
 * Measures a pipeline, round after round, beside its own model in a bare loop.
 *
 * @throws DepthlineError what the pipeline fails with, or `SOURCE` if it ends before it is measured
 */
export async function benchPipeline(
  pipeline: Pipeline,
  options: PipelineBenchOptions,
): Promise<PipelineBench> {
  const model = await bareOptions(pipeline);
  const bare = model && (await BareModel.open(model));
  const limits: Rate[] = [];
  const rounds: Round[] = [];
  try {
    if (bare) limits.push(await bare.run(options.seconds, options.signal));
    while (rounds.length < options.rounds) {
      options.signal?.throwIfAborted();
      rounds.push(await measureRound(pipeline, options));
      options.signal?.throwIfAborted();
      if (bare) limits.push(await bare.run(options.seconds, options.signal));
      options.onRound?.();
    }
  } finally {
    await bare?.close();
  }
  return {
    pipeline: pipeline.name,
    ...summarise(rounds, limits),
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

/** What the pipeline's first `estimate-depth` runs, and how. */
async function bareOptions(pipeline: Pipeline): Promise<BareOptions | undefined> {
  const { operators, branches, baseDirectory } = pipeline;
  const steps = [...operators, ...branches.flatMap((branch) => branch.operators)];
  const depth = steps.find(({ component }) => component?.definition.name === 'estimate-depth');
  if (!depth?.component) return undefined;
  const { model, workers, threads, providers, tuned } = depth.component.options as {
    model: string;
    workers?: number;
    threads?: number;
    providers: string[];
    tuned: 'auto' | 'off';
  };
  const found = await verifyModel(await findModel(model, baseDirectory));
  const asked = { workers, threads, providers, untuned: tuned === 'off' };
  const { tuned: _, ...chosen } = chooseSettings(found, asked);
  return { model, baseDirectory, providers, ...chosen };
}

async function measureRound(pipeline: Pipeline, options: PipelineBenchOptions): Promise<Round> {
  const times = new StageTimes();
  const begun = performance.now();
  const run = await startPipeline(pipeline, { listener: times });
  const running = new Running(run, options.signal);
  try {
    await running.until(() => run.stats().branches.some(({ delivered }) => delivered > 0), 5);
    const startUpMs = performance.now() - begun;
    const warmAt = performance.now() + options.warmUp * 1000;
    while (performance.now() < warmAt && !running.over) await sleep(20);
    await running.until(() => run.stats().processed >= leastWarmUpFrames, 20);
    const round = await measure(running, times, options);
    const { branches } = await running.end();
    const latencyMs = Object.fromEntries(
      branches.flatMap(({ name, latencyMs }) => (latencyMs ? [[name, latencyMs]] : [])),
    );
    return { ...round, latencyMs, startUpMs };
  } finally {
    await running.end();
  }
}

/** A run that may end by itself while it is measured. */
class Running {
  readonly run: Run;
  readonly #signal: AbortSignal | undefined;
  #summary: RunSummary | undefined;

  constructor(run: Run, signal: AbortSignal | undefined) {
    this.run = run;
    this.#signal = signal;
    void run.done.then((summary) => {
      this.#summary = summary;
    });
  }

  get over(): boolean {
    return this.#summary !== undefined || this.#signal?.aborted === true;
  }

  async until(condition: () => boolean, everyMs: number): Promise<void> {
    const deadline = performance.now() + firstFrameMs;
    while (!condition() && !this.over) {
      if (performance.now() > deadline) {
        const seconds = firstFrameMs / 1000;
        throw new DepthlineError('SOURCE', `there were too few frames within ${seconds} s`);
      }
      await sleep(everyMs);
    }
  }

  async end(): Promise<RunSummary> {
    this.run.stop();
    const summary = await this.run.done;
    if (summary.error) throw summary.error;
    this.#signal?.throwIfAborted();
    return summary;
  }
}

const sampleMs = 100;
const loopResolutionMs = 1;

async function measure(
  running: Running,
  times: StageTimes,
  { seconds, power }: PipelineBenchOptions,
) {
  const pids = family();
  const children = pids.slice(1).map((pid) => ({ pid, output: isOutput(pid) }));
  const read = () => ({
    at: performance.now(),
    joules: power?.joules() ?? 0,
    frames: running.run.stats().processed,
    own: cpuMs(pids.slice(0, 1)),
    main: mainThreadMs(),
    ...namedThreads(),
    active: performance.eventLoopUtilization().active,
    capture: cpuMs(children.filter(({ output }) => !output).map(({ pid }) => pid)),
    output: cpuMs(children.filter(({ output }) => output).map(({ pid }) => pid)),
    stages: times.read(),
  });
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  const before = read();
  let held = heldBytes();
  let grown = 0;
  let peakMemoryMiB = 0;
  while (!running.over && performance.now() < before.at + seconds * 1000) {
    await sleep(sampleMs);
    const now = heldBytes();
    grown += Math.max(0, now - held);
    held = now;
    peakMemoryMiB = Math.max(peakMemoryMiB, memoryMiB(pids));
  }
  const after = read();
  loop.disable();
  const frames = after.frames - before.frames;
  if (frames < leastFrames) {
    const message = `only ${frames} frames came while it was measured; measure for longer (--seconds), or let the source go on for longer`;
    throw new DepthlineError('SOURCE', message);
  }
  type Part = 'own' | 'main' | 'capture' | 'output' | 'inference' | 'zeromq';
  const perFrame = (of: Part) => (after[of] - before[of]) / frames;
  const named = perFrame('main') + perFrame('inference') + perFrame('zeromq');
  // Stages are timed by the wall clock; this is the part of it in which the thread had a processor.
  const onProcessor = (after.main - before.main) / (after.active - before.active);
  const delay = (p: number) => Math.max(0, loop.percentile(p) / 1e6 - loopResolutionMs);
  return {
    fps: (1000 * frames) / (after.at - before.at),
    cpu: {
      total: perFrame('own') + perFrame('capture') + perFrame('output'),
      capture: perFrame('capture'),
      output: perFrame('output'),
      main: perFrame('main'),
      inference: perFrame('inference'),
      zeromq: perFrame('zeromq'),
      others: Math.max(0, perFrame('own') - named),
    },
    stages: Object.fromEntries(
      [...after.stages].map(([name, ms]) => [
        name,
        (onProcessor * (ms - (before.stages.get(name) ?? 0))) / frames,
      ]),
    ),
    eventLoopMs: { p50: delay(50), p99: delay(99) },
    peakMemoryMiB,
    allocatedKiBPerFrame: grown / 1024 / frames,
    joules: after.joules - before.joules,
    seconds: (after.at - before.at) / 1000,
  };
}

function namedThreads(): { inference: number; zeromq: number } {
  const threads = [...otherThreadsMs()];
  const sum = (is: (name: string) => boolean) =>
    threads.reduce((ms, [name, its]) => ms + (is(name) ? its : 0), 0);
  return {
    inference: sum((name) => name === inferenceThread),
    zeromq: sum((name) => name.startsWith('ZMQ')),
  };
}

function isOutput(pid: number): boolean {
  return commandLine(pid).includes('output-host');
}

function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function summarise(rounds: readonly Round[], limits: readonly Rate[]) {
  const all = (value: (round: Round, i: number) => number) => measured(rounds.map(value));
  const beside = (i: number, of: keyof Rate) =>
    ((limits[i]?.[of] as number) + (limits[i + 1]?.[of] as number)) / 2;
  const compared = limits.length > 0;
  const first = rounds[0] as Round;
  const stages = Object.keys(first.stages);
  const branches = Object.keys(first.latencyMs);
  const inStages = ({ stages }: Round) => Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return {
    fps: all(({ fps }) => fps),
    ...(compared && { ratio: all(({ fps }, i) => fps / beside(i, 'fps')) }),
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
      branches.map((name) => {
        const at = (p: keyof Percentiles) => all(({ latencyMs }) => latencyMs[name]?.[p] ?? 0);
        return [name, { p50: at('p50'), p95: at('p95'), p99: at('p99') }];
      }),
    ),
    peakMemoryMiB: all((round) => round.peakMemoryMiB),
    allocatedKiBPerFrame: all((round) => round.allocatedKiBPerFrame),
    startUpMs: all(({ startUpMs }) => startUpMs),
  };
}
