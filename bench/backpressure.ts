import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Measured, measured, slope } from '../src/benchmark/statistics.ts';
import { family, memoryMiB } from '../src/device/processes.ts';
import {
  type BranchInput,
  definePipeline,
  defineSink,
  discard,
  type RunSummary,
  startPipeline,
  videoFile,
} from '../src/index.ts';
import type { Bench, BenchOptions, Print } from './support/bench.ts';

const sinkMs = 20;
const sampleEveryMs = 100;

const slowSink = defineSink({
  name: 'slow-sink',
  summary: `Takes ${sinkMs} ms per frame.`,
  accepts: ['image'],
  options: z.strictObject({}),
  examples: [{}],
  create: async () => ({ write: () => sleep(sinkMs) }),
});

/** A sink slower than its source, a file: `block` slows the file down, `drop-oldest` does not. */
export const backpressure: Bench = {
  name: 'backpressure',
  summary: `a video file into a sink of ${sinkMs} ms per frame`,
  async run(options, print) {
    const folder = mkdtempSync(join(tmpdir(), 'depthline-bench-'));
    try {
      const path = join(folder, 'video.mkv');
      writeVideo(path);
      await compare(path, options, print);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function compare(path: string, { rounds, seconds }: BenchOptions, print: Print) {
  const fast = { name: 'fast', sink: discard() };
  const slow = (whenFull: 'block' | 'drop-oldest'): BranchInput => ({
    name: 'slow',
    sink: slowSink({}),
    queue: { limit: 4, whenFull },
  });
  const alone: Watched[] = [];
  const blocked: Watched[] = [];
  const dropping: Watched[] = [];
  for (let round = 0; round < rounds; round++) {
    alone.push(await watch(path, [fast], seconds));
    blocked.push(await watch(path, [slow('block')], seconds));
    dropping.push(await watch(path, [fast, slow('drop-oldest')], seconds));
  }
  print(
    'without the slow sink',
    'fps',
    of(alone, ({ summary }) => summary.fps),
  );
  print(
    'block: the file is read at',
    'fps',
    of(blocked, ({ summary }) => summary.fps),
  );
  print('block: dropped', 'frames', of(blocked, dropped));
  const share = (run: Watched, i: number) => run.summary.fps / (alone[i]?.summary.fps as number);
  print('drop-oldest: speed of the other branch / without', '', of(dropping, share));
  print('drop-oldest: age at the slow sink, p99', 'ms', of(dropping, slowAge));
  for (const whenFull of ['block', 'drop-oldest'] as const) {
    const { growth, peak } = await watch(path, [fast, slow(whenFull)], longRun * seconds);
    print(`${whenFull}: memory of all processes, at most`, 'MiB', measured([peak]));
    print(`${whenFull}: memory grows by`, 'MiB/min', measured([growth]));
  }
}

/** Longer, to tell growth from the rise and fall of garbage collection. */
const longRun = 15;

function of(runs: readonly Watched[], value: (run: Watched, i: number) => number): Measured {
  return measured(runs.map(value));
}

function dropped({ summary }: Watched): number {
  const drops = summary.branches.flatMap((branch) => branch.dropped);
  return drops.reduce((sum, { count }) => sum + count, 0);
}

function slowAge({ summary }: Watched): number {
  return summary.branches.find(({ name }) => name === 'slow')?.latencyMs?.p99 ?? 0;
}

interface Watched {
  readonly summary: RunSummary;
  /** Resident memory of all processes. */
  readonly peak: number;
  /** Of it in the second half of the run, MiB per minute. */
  readonly growth: number;
}

async function watch(
  path: string,
  sinks: readonly BranchInput[],
  seconds: number,
): Promise<Watched> {
  const pipeline = definePipeline({ source: videoFile({ path, loop: true }), sinks });
  const run = await startPipeline(pipeline, { durationMs: seconds * 1000, drainMs: 500 });
  const samples: [minutes: number, mib: number][] = [];
  const start = performance.now();
  const timer = setInterval(() => {
    samples.push([(performance.now() - start) / 60_000, memoryMiB(family())]);
  }, sampleEveryMs);
  const summary = await run.done;
  clearInterval(timer);
  if (summary.error) throw summary.error;
  return {
    summary,
    peak: Math.max(...samples.map(([, mib]) => mib)),
    growth: slope(samples.slice(samples.length >> 1)),
  };
}

function writeVideo(path: string): void {
  const line =
    'videotestsrc num-buffers=600 pattern=ball ! video/x-raw,width=320,height=240 ! jpegenc ! matroskamux ! filesink';
  execFileSync('gst-launch-1.0', ['-q', ...line.split(' '), `location=${path}`]);
}
