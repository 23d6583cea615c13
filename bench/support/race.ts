import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber } from 'zeromq';
import { cpuMs, family, memoryMiB, proportionalMiB, switches } from '../../src/device/processes.ts';
import type { Contestant, Task } from './contestants.ts';

/** What one run of a program showed. */
export interface Lap {
  readonly fps: number;
  /** CPU time of all its processes, milliseconds. */
  readonly cpuMsPerFrame: number;
  /** Share of one processor. */
  readonly cpu: number;
  readonly peakMemoryMiB: number;
  /** The same, with shared pages counted once. */
  readonly peakProportionalMiB: number;
  /** Voluntary context switches of all its threads. */
  readonly switchesPerFrame: number;
  /** From the start of the process to the first message at the subscriber, milliseconds. */
  readonly startMs: number;
  /** Age of depth when published, milliseconds, of each message within the measurement. */
  readonly agesMs: readonly number[];
}

const leastWarmUpFrames = 150;
const firstFrameMs = 60_000;
const stopMs = 5000;

/** Runs a program until it is warm, then measures it for so many seconds. */
export async function lap(contestant: Contestant, task: Task, seconds: number): Promise<Lap> {
  const zmq = await import('zeromq');
  const reader = new zmq.Subscriber({ linger: 0, receiveHighWaterMark: 1000 });
  await reader.bind(task.endpoint);
  reader.subscribe();
  const [file, ...args] = contestant.command(task);
  const startedAt = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    return await measure(child, startedAt, reader, seconds);
  } finally {
    child.kill('SIGTERM');
    const end = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      await Promise.race([end, sleep(stopMs)]);
    }
    child.kill('SIGKILL');
    reader.close();
  }
}

async function measure(
  child: ChildProcess,
  startedAt: number,
  reader: Subscriber,
  seconds: number,
): Promise<Lap> {
  let startMs = 0;
  let agesMs: number[] | undefined;
  const read = async () => {
    for await (const [, header] of reader) {
      if (startMs === 0) startMs = performance.now() - startedAt;
      if (agesMs) agesMs.push(ageMs(header as Buffer));
    }
  };
  void read().catch(() => {});
  const marks = statistics(child);
  const limit = sleep(firstFrameMs + seconds * 1000, undefined, { ref: false });
  const next = async () => {
    const mark = await Promise.race([marks.next(), limit]);
    if (mark?.value === undefined) throw new Error(`${child.spawnfile} gave no statistics`);
    return mark.value;
  };
  while ((await next()).processed < leastWarmUpFrames);
  const used = [await next()];
  agesMs = [];
  while (lasted(used) < seconds * 1000) used.push(await next());
  return { ...usage(used), startMs, agesMs };
}

function lasted(marks: readonly Mark[]): number {
  return (marks.at(-1) as Mark).at - (marks[0] as Mark).at;
}

/** What a program has used by a moment, in all. */
export interface Mark {
  /** Monotonic, milliseconds. */
  readonly at: number;
  /** Frames published. */
  readonly processed: number;
  /** CPU time of all its processes, milliseconds. */
  readonly cpu: number;
  /** MiB at this moment. */
  readonly memory: number;
  readonly proportional: number;
  /** Voluntary context switches. */
  readonly switches: number;
}

/** What was used between the first and the last of these marks. */
export function usage(marks: readonly Mark[]): Omit<Lap, 'startMs' | 'agesMs'> {
  const [first, last] = [marks[0] as Mark, marks.at(-1) as Mark];
  const frames = last.processed - first.processed;
  const elapsed = lasted(marks);
  return {
    fps: (1000 * frames) / elapsed,
    cpuMsPerFrame: (last.cpu - first.cpu) / frames,
    cpu: (last.cpu - first.cpu) / elapsed,
    peakMemoryMiB: Math.max(...marks.map(({ memory }) => memory)),
    peakProportionalMiB: Math.max(...marks.map(({ proportional }) => proportional)),
    switchesPerFrame: (last.switches - first.switches) / frames,
  };
}

/** The frames that the program says it has published, each second, and what it has used by then. */
async function* statistics(child: ChildProcess): AsyncGenerator<Mark> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const { type, processed } = JSON.parse(line) as { type: string; processed: number };
    if (type !== 'stats') continue;
    const pids = family(child.pid);
    yield {
      at: performance.now(),
      processed,
      cpu: cpuMs(pids),
      memory: memoryMiB(pids),
      proportional: proportionalMiB(pids),
      switches: switches(pids),
    };
  }
}

function ageMs(header: Buffer): number {
  const { capturedAt, publishedAt } = JSON.parse(header.toString()) as Record<string, string>;
  return Number(BigInt(publishedAt as string) - BigInt(capturedAt as string)) / 1e6;
}
