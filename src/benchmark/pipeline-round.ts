import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DepthlineError } from '../core/errors.ts';
import type { PowerMeter } from '../device/power.ts';
import {
  commandLine,
  cpuMs,
  family,
  mainThreadMs,
  memoryMiB,
  otherThreadsMs,
} from '../device/processes.ts';
import { inferenceThread } from '../inference/thread-name.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Percentiles } from '../runtime/latency.ts';
import type { Run, RunSummary } from '../runtime/run-handle.ts';
import { startPipeline } from '../runtime/runner.ts';
import { StageTimes } from '../runtime/stage-times.ts';

export interface RoundOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** Seconds before each measurement, for compilation and buffers. */
  readonly warmUp: number;
  readonly power?: PowerMeter | undefined;
  readonly signal?: AbortSignal;
}

/** The result of one measured run. */
export interface Round {
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

/** The queues must be full before a measurement. */
const leastWarmUpFrames = 30;
const firstFrameMs = 60_000;
const leastFrames = 10;

/**
 * Runs a pipeline, measures it once it is warm, and ends it.
 *
 * @throws DepthlineError what the pipeline fails with, or `SOURCE` if it ends before it is measured
 */
export async function measureRound(pipeline: Pipeline, options: RoundOptions): Promise<Round> {
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

/** A run that may end by itself during the measurement. */
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
        throw new DepthlineError('SOURCE', `too few frames within ${seconds} s`);
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

async function measure(running: Running, times: StageTimes, { seconds, power }: RoundOptions) {
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
    const message = `only ${frames} frames were captured during the measurement; measure for longer (--seconds), or use a longer source`;
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
