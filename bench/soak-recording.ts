import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { table } from '../src/cli/run-output.ts';
import { memoryMiB } from '../src/device/processes.ts';
import {
  definePipeline,
  estimateDepth,
  imbalance,
  mcap,
  startPipeline,
  testPattern,
} from '../src/index.ts';

const command = new Command('soak recording')
  .option('--minutes <n>', 'length of the run', Number, 30)
  .option('--fps <n>', 'frames per second', Number, 30)
  .option('--compression <name>', 'zstd, lz4 or none', 'zstd')
  .option('--rotate <size>', 'begin a new file at this size; older files are deleted', '2GB')
  .parse();
const { minutes, fps, compression, rotate } = command.opts<{
  minutes: number;
  fps: number;
  compression: 'zstd' | 'lz4' | 'none';
  rotate: string;
}>();

const folder = mkdtempSync(join(tmpdir(), 'depthline-soak-'));
const run = await startPipeline(
  definePipeline({
    source: testPattern({ width: 224, height: 224, fps, realtime: true, pattern: 'ball' }),
    operators: [estimateDepth({ tuned: 'off' })],
    sinks: [
      {
        sink: mcap({ path: join(folder, 'run.mcap'), compression, 'rotate-size': rotate }),
        queue: { limit: 4, whenFull: 'drop-oldest' },
      },
    ],
  }),
);

const held: [minute: number, mib: number][] = [];
const used: [minute: number, mib: number][] = [];
const begun = performance.now();
let bytes = 0;
const seen = new Map<string, number>();
while (performance.now() - begun < minutes * 60_000) {
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
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { size } = statSync(path);
    bytes += size - (seen.get(name) ?? 0);
    seen.set(name, size);
    if (name.includes('.recording.') && !all) continue;
    // The file with its last number stays: the next one is named after it.
    const others = readdirSync(folder).filter((other) => other !== name);
    if (all || others.length > 1) rmSync(path);
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
const [account] = summary.branches;
const delivered = account?.delivered ?? 0;
const off = summary.branches.map(imbalance);
console.log(
  `\n${delivered} of ${summary.captured} frames recorded in ${minutes} minutes, ${(bytes / 1000 / delivered).toFixed(1)} kB per frame; ledger off by ${off.join(' and ')}`,
);
for (const { stage, reason, count } of account?.dropped ?? [])
  console.log(`${count} dropped at ${stage}, ${reason}`);
if (summary.error) console.log(`ended by: ${summary.error.message}`);
process.exit(summary.error || off.some((n) => n !== 0) ? 1 : 0);
