import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { Observable } from 'rxjs';
import { z } from 'zod';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { table } from '../src/cli/table.ts';
import type { DepthFrame } from '../src/core/frame.ts';
import { ptsOf } from '../src/core/pacer.ts';
import { memoryMiB } from '../src/device/processes.ts';
import { definePipeline, defineSource, imbalance, mcap, startPipeline } from '../src/index.ts';
import { type Compression, compressions } from '../src/mcap/compression.ts';
import { noisyDepth } from './support/noisy-rooms.ts';

const command = new Command('soak recording')
  .option('--minutes <n>', 'length of the run', Number, 30)
  .option('--model <name-or-path>', 'whose depth is recorded', 'fastdepth')
  .option('--compression <names...>', 'of the files, one each', [...compressions])
  .option('--rotate <size>', 'begin a new file at this size; older files are deleted', '500MB')
  .parse();
const { minutes, model, compression, rotate } = command.opts<{
  minutes: number;
  model: string;
  compression: Compression[];
  rotate: string;
}>();

const fps = 30;
const folder = mkdtempSync(join(tmpdir(), 'depthline-soak-'));
const frames = await noisyDepth(60, model);

/** Like a camera it waits for nobody: frames that are late come together. */
const camera = defineSource({
  name: 'camera',
  summary: 'Depth at 30 frames per second.',
  emits: ['depth'],
  live: true,
  options: z.strictObject({}),
  examples: [],
  create: async (_, { clock }) =>
    new Observable<DepthFrame>((subscriber) => {
      const begun = performance.now();
      let seq = 0;
      const timer = setInterval(() => {
        for (; (seq * 1000) / fps <= performance.now() - begun; seq++) {
          const times = { seq, pts: ptsOf(seq, fps), capturedAt: clock.wall() };
          subscriber.next({ ...(frames[seq % frames.length] as DepthFrame), ...times });
        }
      }, 5);
      return () => clearInterval(timer);
    }),
});

const run = await startPipeline(
  definePipeline({
    source: camera(),
    sinks: compression.map((name) => ({
      sink: mcap({
        path: join(folder, name, 'run.mcap'),
        compression: name,
        'rotate-size': rotate,
      }),
      queue: { limit: 30, whenFull: 'drop-oldest' as const },
    })),
  }),
);

const held: [minute: number, mib: number][] = [];
const used: [minute: number, mib: number][] = [];
const begun = performance.now();
const bytes = new Map<string, number>();
const seen = new Map<string, number>();
let ended = false;
void run.done.then(() => {
  ended = true;
});
while (!ended && performance.now() - begun < minutes * 60_000) {
  await sleep(2000);
  const minute = (performance.now() - begun) / 60_000;
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  held.push([minute, memoryMiB([process.pid])]);
  used.push([minute, (heapUsed + external) / 2 ** 20]);
  count(false);
}
run.stop();
const summary = await run.done;
count(true);
rmSync(folder, { recursive: true });

/** Finished files are counted and deleted, so that the disk does not fill up. */
function count(all: boolean): void {
  for (const kind of compression) {
    const names = readdirSync(join(folder, kind));
    for (const name of names) {
      const path = join(folder, kind, name);
      const { size } = statSync(path);
      const finished = path.replace('.recording.', '.');
      const more = size - (seen.get(finished) ?? 0);
      bytes.set(kind, (bytes.get(kind) ?? 0) + more);
      seen.set(finished, size);
      // The file with its last number stays: the next one is named after it.
      if (!name.includes('.recording.') && !all && names.length > 2) rmSync(path);
    }
  }
}

const quarters = (points: readonly [number, number][]) =>
  [0, 1, 2, 3].map((quarter) => {
    const within = points.filter(([minute]) => Math.floor((4 * minute) / minutes) === quarter);
    return within.length > 0 ? measured(within.map(([, mib]) => mib)).median.toFixed(0) : '–';
  });
const perHour = (points: readonly [number, number][]) =>
  (60 * slope(points.filter(([minute]) => minute > minutes / 4))).toFixed(1);
console.log(
  table([
    ['main process', 'MiB, by quarter', '', '', '', 'MiB per hour'],
    ['held', ...quarters(held), perHour(held)],
    ['in use', ...quarters(used), perHour(used)],
  ]),
);
const off = summary.branches.map(imbalance);
console.log(
  `\n${summary.captured} frames in ${minutes} minutes; ledger off by ${off.join(', ')}\n`,
);
console.log(
  table([
    ['compression', 'frames recorded', 'dropped', 'kB per frame'],
    ...compression.map((kind, index) => {
      const { delivered = 0, dropped = [] } = summary.branches[index] ?? {};
      const size = (bytes.get(kind) ?? 0) / 1000 / delivered;
      const why = dropped.map(({ stage, reason, count }) => `${count} ${stage} ${reason}`);
      return [kind, String(delivered), why.join(', ') || '0', size.toFixed(1)];
    }),
  ]),
);
if (summary.error) console.log(`ended by: ${summary.error.message}`);
process.exit(summary.error || off.some((n) => n !== 0) ? 1 : 0);
