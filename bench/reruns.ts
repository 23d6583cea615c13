import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { descriptors, family, memoryMiB } from '../src/device/processes.ts';
import {
  definePipeline,
  estimateDepth,
  file,
  imbalance,
  startPipeline,
  testPattern,
  zeromq,
} from '../src/index.ts';
import type { Bench } from './support/bench.ts';

const count = 200;
/** Runs for warm-up. */
const settled = 50;

/** Builds, runs and closes a pipeline hundreds of times in one process, and measures its leaks. */
export const reruns: Bench = {
  name: 'reruns',
  summary: `a pipeline with a model, a topic and files is run ${count} times in one process`,
  async run(_, print) {
    const folder = mkdtempSync(join(tmpdir(), 'depthline-reruns-'));
    // tsx has a process of its own.
    const before = family().length;
    const memory: [run: number, mib: number][] = [];
    const open: [run: number, count: number][] = [];
    const times: number[] = [];
    const off: number[] = [];
    try {
      for (let n = 0; n < count; n++) {
        const start = performance.now();
        const run = await startPipeline(
          definePipeline({
            source: testPattern({ width: 224, height: 224, frames: 5 }),
            operators: [estimateDepth({ tuned: 'off' })],
            sinks: [
              zeromq({ bind: `ipc://${join(folder, 'topic')}` }),
              file({ directory: folder, format: 'npy', existing: 'overwrite' }),
            ],
          }),
        );
        const { branches, error } = await run.done;
        if (error) throw error;
        times.push(performance.now() - start);
        off.push(...branches.map(imbalance));
        // Garbage that was not collected yet has not leaked.
        globalThis.gc?.();
        memory.push([n, memoryMiB([process.pid])]);
        open.push([n, descriptors()]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    const [grows, opens] = [memory, open].map((samples) => slope(samples.slice(settled)));
    print('one run, from its building to its end', 'ms', measured(times));
    print('memory of the process grows by', 'KiB/run', measured([(grows as number) * 1024]));
    print('descriptors grow by', 'per run', measured([opens as number]));
    print('frames missing in the ledger', '', measured([Math.max(...off.map(Math.abs))]));
    print('processes left behind', '', measured([family().length - before]));
  },
};
