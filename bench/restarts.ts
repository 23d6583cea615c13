import { tap } from 'rxjs';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { descriptors, family, memoryMiB } from '../src/device/processes.ts';
import {
  definePipeline,
  discard,
  type Frame,
  imbalance,
  startPipeline,
  testPattern,
} from '../src/index.ts';
import type { Bench } from './support/bench.ts';
import { until } from './support/until.ts';

const count = 300;
/** Restarts for warm-up. */
const settled = 50;

/** Kills the capture process hundreds of times and measures leaks of the main process. */
export const restarts: Bench = {
  name: 'restarts',
  summary: `the capture process is killed ${count} times`,
  async run(_, print) {
    let frames = 0;
    const pipeline = definePipeline({
      name: 'restarts',
      source: testPattern({
        width: 224,
        height: 224,
        fps: 60,
        realtime: true,
        restart: { limit: 1_000_000, 'max-delay': '1ms' },
      }),
      operators: [tap<Frame>(() => frames++)],
      sinks: [discard()],
    });
    const run = await startPipeline(pipeline);
    const recoveries: number[] = [];
    const memory: [restart: number, mib: number][] = [];
    const open: [restart: number, count: number][] = [];
    for (let n = 0; n < count; n++) {
      await until(() => frames > 0);
      // Garbage that was not collected yet has not leaked.
      globalThis.gc?.();
      memory.push([n, memoryMiB([process.pid])]);
      open.push([n, descriptors()]);
      const children = family().slice(1);
      const killedAt = performance.now();
      for (const child of children) kill(child);
      // Frames that arrived before the kill do not count.
      await until(() => family().some((pid, i) => i > 0 && !children.includes(pid)));
      frames = 0;
      await until(() => frames > 0);
      recoveries.push(performance.now() - killedAt);
    }
    run.stop();
    const { branches, restarts } = await run.done;
    print('killed', 'times', measured([recoveries.length]));
    print('restarts in the summary', '', measured([restarts[0]?.count ?? 0]));
    print('from the kill to the next frame', 'ms', measured(recoveries));
    const [grows, opens] = [memory, open].map((samples) => slope(samples.slice(settled)));
    print(
      'memory of the main process grows by',
      'KiB/restart',
      measured([(grows as number) * 1024]),
    );
    print('descriptors grow by', 'per restart', measured([opens as number]));
    print('frames missing in the ledger', '', measured(branches.map(imbalance)));
    print('processes left behind', '', measured([family().length - 1]));
  },
};

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has exited.
  }
}
