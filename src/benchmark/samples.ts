import type { Percentiles } from '../runtime/latency.ts';
import { percentile } from './statistics.ts';

/** What one look at a running pipeline shows. Times of processors are totals, milliseconds. */
export interface Sample {
  /** Monotonic, milliseconds. */
  readonly at: number;
  /** Frames that have come out of all operators. */
  readonly frames: number;
  /** Frames that the model has worked on. */
  readonly seen: number;
  /** Of this process. */
  readonly own: number;
  readonly main: number;
  readonly inference: number;
  readonly zeromq: number;
  /** Of each child process that lives. */
  readonly children: ReadonlyMap<number, { readonly ms: number; readonly output: boolean }>;
  /** Of all processes of the machine. */
  readonly machine: number;
  /** Wall time in which the event loop was not idle. */
  readonly active: number;
  /** Wall time of each stage on the main thread. */
  readonly stages: ReadonlyMap<string, number>;
  /** What holds the source. */
  readonly heldBy: readonly string[];
  /** Heap and buffers of the main thread, bytes. */
  readonly held: number;
  readonly memoryMiB: number;
  readonly joules: number;
}

export interface Measurement {
  readonly seconds: number;
  readonly frames: number;
  readonly fps: number;
  /** Frames per second through the model. */
  readonly modelFps: number;
  /** Per frame, milliseconds. */
  readonly cpu: Readonly<
    Record<'total' | 'capture' | 'output' | 'main' | 'inference' | 'zeromq' | 'others', number>
  >;
  readonly stages: Readonly<Record<string, number>>;
  /** Inference threads that were busy on average. */
  readonly busyWorkers: number;
  /** What held the source, by share of the samples. */
  readonly heldBy: Readonly<Record<string, number>>;
  /** Processors that other programs used on average. */
  readonly foreignProcessors: number;
  readonly peakMemoryMiB: number;
  readonly allocatedKiBPerFrame: number;
  readonly joules: number;
}

/** What was used between the first of these samples and the last, all of which were taken while the run lived. */
export function measurement(samples: readonly Sample[]): Measurement {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const elapsed = last.at - first.at;
  const frames = last.frames - first.frames;
  const per = (ms: number) => ms / frames;
  type Counter = 'own' | 'main' | 'inference' | 'zeromq' | 'machine' | 'active' | 'joules' | 'seen';
  const used = (of: Counter) => last[of] - first[of];
  const capture = childrenMs(samples, false);
  const output = childrenMs(samples, true);
  const named = used('main') + used('inference') + used('zeromq');
  // Stages are timed by the wall clock; this is the part of it in which the thread had a processor.
  const onProcessor = used('active') > 0 ? Math.min(1, used('main') / used('active')) : 1;
  return {
    seconds: elapsed / 1000,
    frames,
    fps: (1000 * frames) / elapsed,
    modelFps: (1000 * used('seen')) / elapsed,
    cpu: {
      total: per(used('own') + capture + output),
      capture: per(capture),
      output: per(output),
      main: per(used('main')),
      inference: per(used('inference')),
      zeromq: per(used('zeromq')),
      others: per(Math.max(0, used('own') - named)),
    },
    stages: Object.fromEntries(
      [...last.stages].map(([name, ms]) => [
        name,
        per(onProcessor * (ms - (first.stages.get(name) ?? 0))),
      ]),
    ),
    busyWorkers: used('inference') / elapsed,
    heldBy: shares(samples.slice(1).map(({ heldBy }) => heldBy)),
    foreignProcessors: Math.max(0, used('machine') - used('own') - capture - output) / elapsed,
    peakMemoryMiB: Math.max(...samples.map(({ memoryMiB }) => memoryMiB)),
    allocatedKiBPerFrame: per(growth(samples.map(({ held }) => held)) / 1024),
    joules: used('joules'),
  };
}

/** Of child processes, also those that ended or began in between; what ended is taken as last seen. */
function childrenMs(samples: readonly Sample[], output: boolean): number {
  const begun = new Map<number, number>();
  const latest = new Map<number, number>();
  for (const [i, { children }] of samples.entries()) {
    for (const [pid, child] of children) {
      if (child.output !== output) continue;
      if (!begun.has(pid)) begun.set(pid, i === 0 ? child.ms : 0);
      latest.set(pid, child.ms);
    }
  }
  return [...latest].reduce((sum, [pid, ms]) => sum + ms - (begun.get(pid) as number), 0);
}

function shares(lists: readonly (readonly string[])[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of lists.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].map(([name, n]) => [name, n / lists.length]));
}

function growth(values: readonly number[]): number {
  return values.reduce((sum, value, i) => sum + Math.max(0, value - (values[i - 1] ?? value)), 0);
}

/** A worker is the limit from here on: the rest is waiting for the next picture. */
const busyWorker = 0.85;
const oftenHeld = 0.3;

/** What the speed of a pipeline with a model is limited by: the model, what holds the source, or the source. */
export function limitOf({ busyWorkers, heldBy }: Measurement, workers: number): string {
  if (busyWorkers / workers >= busyWorker) return 'the model';
  const [holder] = Object.entries(heldBy).toSorted(([, a], [, b]) => b - a);
  return holder && holder[1] >= oftenHeld ? holder[0] : 'the source';
}

/** Ages at delivery within the measurement, by branch. */
export class Ages {
  readonly #ms = new Map<string, number[]>();
  #measuring = false;

  /** From now on ages count. */
  begin(): void {
    this.#measuring = true;
  }

  end(): void {
    this.#measuring = false;
  }

  add(branch: string, ms: number): void {
    if (!this.#measuring) return;
    const all = this.#ms.get(branch);
    if (all) all.push(ms);
    else this.#ms.set(branch, [ms]);
  }

  percentiles(): Record<string, Percentiles> {
    return Object.fromEntries(
      [...this.#ms].map(([branch, ms]) => {
        const at = (p: number) => percentile(ms, p);
        return [branch, { p50: at(50), p95: at(95), p99: at(99) }];
      }),
    );
  }
}
