import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DepthlineError } from '../core/errors.ts';
import type { PowerMeter } from '../device/power.ts';
import {
  commandLine,
  cpuMs,
  family,
  machineMs,
  mainThreadMs,
  memoryMiB,
  otherThreadsMs,
} from '../device/processes.ts';
import { inferenceThread } from '../inference/thread-name.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { FrameObserver } from '../runtime/frame-observer.ts';
import type { Percentiles } from '../runtime/latency.ts';
import type { Run, RunSummary } from '../runtime/run-handle.ts';
import { startPipeline } from '../runtime/runner.ts';
import { StageTimes } from '../runtime/stage-times.ts';
import { Ages, type Measurement, measurement, type Sample } from './samples.ts';

export interface RoundOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** Seconds before each measurement, for compilation and buffers. */
  readonly warmUp: number;
  readonly power?: PowerMeter | undefined;
  readonly signal?: AbortSignal;
  /** Name of the stage whose frames the model sees. */
  readonly network?: string | undefined;
}

/** The result of one measured run. */
export interface Round extends Measurement {
  readonly eventLoopMs: { readonly p50: number; readonly p99: number };
  readonly latencyMs: Readonly<Record<string, Percentiles>>;
  readonly startUpMs: number;
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
  const ages = new Ages();
  let seen = 0;
  const observer: FrameObserver = {
    delivered: (branch, ms) => ages.add(branch, ms),
    worked(stage) {
      if (stage === options.network) seen++;
    },
  };
  const begun = performance.now();
  const run = await startPipeline(pipeline, { listener: times, observer });
  const running = new Running(run, options.signal);
  try {
    await running.until(() => run.stats().branches.some(({ delivered }) => delivered > 0), 5);
    const startUpMs = performance.now() - begun;
    const warmAt = performance.now() + options.warmUp * 1000;
    while (performance.now() < warmAt && !running.over) await sleep(20);
    await running.until(() => run.stats().processed >= leastWarmUpFrames, 20);
    const look = () => sample(running.run, times, seen, options.power);
    const measured = await measure(running, look, ages, options.seconds);
    await running.end();
    return { ...measured, startUpMs };
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

async function measure(running: Running, look: () => Sample, ages: Ages, seconds: number) {
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  ages.begin();
  const samples = [look()];
  const end = (samples[0] as Sample).at + seconds * 1000;
  while (performance.now() < end) {
    await sleep(sampleMs);
    // What is used after the end of the run is not the pipeline's.
    if (running.over) break;
    samples.push(look());
  }
  ages.end();
  loop.disable();
  const result = measurement(samples);
  if (samples.length < 2 || result.frames < leastFrames) {
    const message = `only ${result.frames} frames were captured during the measurement; measure for longer (--seconds), or use a longer source`;
    throw new DepthlineError('SOURCE', message);
  }
  const delay = (p: number) => Math.max(0, loop.percentile(p) / 1e6 - loopResolutionMs);
  return {
    ...result,
    latencyMs: ages.percentiles(),
    eventLoopMs: { p50: delay(50), p99: delay(99) },
  };
}

function sample(run: Run, times: StageTimes, seen: number, power: PowerMeter | undefined): Sample {
  const { processed, heldBy } = run.stats();
  const [own, ...children] = family() as [number, ...number[]];
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    at: performance.now(),
    frames: processed,
    seen,
    own: cpuMs([own]),
    main: mainThreadMs(),
    ...namedThreads(),
    children: new Map(
      children.map((pid) => [
        pid,
        { ms: cpuMs([pid]), output: commandLine(pid).includes('output-host') },
      ]),
    ),
    machine: machineMs(),
    active: performance.eventLoopUtilization().active,
    stages: times.read(),
    heldBy,
    held: heapUsed + arrayBuffers,
    memoryMiB: memoryMiB([own, ...children]),
    joules: power?.joules() ?? 0,
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
