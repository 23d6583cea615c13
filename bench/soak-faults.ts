import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { table } from '../src/cli/table.ts';
import { commandLine, family, memoryMiB } from '../src/device/processes.ts';
import {
  definePipeline,
  estimateDepth,
  file,
  imbalance,
  sample,
  smooth,
  startPipeline,
  testPattern,
  zeromq,
} from '../src/index.ts';
import { descriptorsOf, quarters, settledOf } from './support/memory-samples.ts';
import { until } from './support/until.ts';

const command = new Command('soak')
  .option('--minutes <n>', 'length of the run', Number, 60)
  .option('--every <seconds>', 'between two faults', Number, 60)
  .option('--model <name-or-path>', '', 'fastdepth')
  .parse();
const { minutes, every, model } = command.opts<{
  minutes: number;
  every: number;
  model: string;
}>();

const folder = mkdtempSync(join(tmpdir(), 'depthline-soak-'));
const directory = join(folder, 'frames');
const endpoint = `ipc://${join(folder, 'topic')}`;
const faultsMeant = Math.ceil((minutes * 60) / every);
const warnings = new Map<string, number>();
/** Live inference threads. */
const workers: Worker[] = [];
process.on('worker', (worker) => {
  workers.push(worker);
  worker.once('exit', () => workers.splice(workers.indexOf(worker), 1));
});
const run = await startPipeline(
  definePipeline({
    name: 'soak',
    source: testPattern({
      width: 224,
      height: 224,
      fps: 500,
      realtime: true,
      restart: { limit: faultsMeant + 1, 'stalled-after': '1s' },
    }),
    operators: [estimateDepth({ model, tuned: 'off' }), smooth({ method: 'ema' })],
    sinks: [
      {
        name: 'topic',
        sink: zeromq({ bind: endpoint }),
        queue: { limit: 1, whenFull: 'drop-oldest' },
      },
      {
        name: 'files',
        sink: file({ directory, format: 'png16', existing: 'overwrite' }),
        operators: [sample({ every: 50 })],
        queue: { limit: 2, whenFull: 'drop-oldest' },
        onError: 'skip',
      },
    ],
  }),
  {
    log: {
      debug() {},
      info() {},
      warn(message) {
        const kind = message.replace(/frame \d+/, 'a frame').replace(folder, '…');
        warnings.set(kind, (warnings.get(kind) ?? 0) + 1);
      },
    },
  },
);

const delivered = (name: string) =>
  run.stats().branches.find((branch) => branch.name === name)?.delivered ?? 0;
const next = async (name: string) => {
  const before = delivered(name);
  await until(() => delivered(name) > before);
};
const capture = () => family().slice(1);

/** Each causes a fault, and resolves when the run has recovered. */
const faults: Record<string, () => Promise<void>> = {
  async 'capture process killed'() {
    const old = capture();
    for (const pid of old) process.kill(pid, 'SIGKILL');
    await until(() => capture().some((pid) => !old.includes(pid)));
    await next('topic');
  },
  async 'capture process hangs'() {
    const old = capture();
    for (const pid of old) process.kill(pid, 'SIGSTOP');
    await until(() => capture().some((pid) => !old.includes(pid)));
    await next('topic');
  },
  async 'inference worker dies'() {
    const old = [...workers];
    // A request that it cannot read.
    for (const worker of old) worker.postMessage(null);
    await until(() => workers.some((worker) => !old.includes(worker)));
    await next('topic');
  },
  async 'directory removed'() {
    rmSync(directory, { recursive: true, force: true });
    await next('files');
  },
  async 'subscriber that never reads'() {
    const { Subscriber } = await import('zeromq');
    const reader = new Subscriber({ linger: 0, receiveHighWaterMark: 1 });
    reader.connect(endpoint);
    reader.subscribe();
    await next('topic');
    setTimeout(() => reader.close(), (every * 1000) / 2);
  },
};

console.log(`${minutes} minutes, a fault every ${every} s`);
await next('topic');
const names = Object.keys(faults);
const times = new Map<string, number>(names.map((name) => [name, 0]));
const recoveries = new Map<string, number[]>(names.map((name) => [name, []]));
const notRecovered: string[] = [];
const samples = new Map<string, { minute: number; mib: number; descriptors: number }[]>();
/** Memory of the main process in use after a garbage collection; allocators hold the rest. */
const live: { minute: number; mib: number }[] = [];
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 1000;
const sampler = setInterval(() => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  live.push({ minute: elapsed() / 60, mib: (heapUsed + external) / 2 ** 20 });
  for (const pid of family()) {
    const role = pid === process.pid ? 'main process' : roleOf(commandLine(pid));
    const list = samples.get(role) ?? [];
    list.push({ minute: elapsed() / 60, mib: memoryMiB([pid]), descriptors: descriptorsOf(pid) });
    samples.set(role, list);
  }
}, 2000);

for (let n = 0; elapsed() < minutes * 60; n++) {
  await sleep(Math.min(every * 1000, Math.max(0, minutes * 60 - elapsed()) * 1000));
  const name = names[n % names.length] as string;
  const start = performance.now();
  times.set(name, (times.get(name) ?? 0) + 1);
  try {
    await faults[name]?.();
    recoveries.get(name)?.push(performance.now() - start);
  } catch (error) {
    // A fault without recovery is a result, shown in the table.
    notRecovered.push(`${name} at ${(elapsed() / 60).toFixed(1)} min: ${(error as Error).message}`);
  }
}
clearInterval(sampler);
run.stop();
const summary = await run.done;
rmSync(folder, { recursive: true, force: true });

const faultRows = [...recoveries].map(([name, ms]) => {
  const { median, max } = measured(ms.length > 0 ? ms : [Number.NaN]);
  return [name, String(times.get(name)), String(ms.length), median.toFixed(0), max.toFixed(0)];
});
console.log(table([['fault', 'times', 'recovered', 'median ms', 'longest ms'], ...faultRows]));
const processRows = [...samples].flatMap(([role, all]) => {
  const settled = settledOf(all, minutes);
  // A process that was started during a restart and has exited by the next sample.
  if (settled.length < 10) return [];
  const perHour = (of: 'mib' | 'descriptors') =>
    60 * slope(settled.map((one) => [one.minute, one[of]] as const));
  const row = [
    role,
    quarters(all, minutes),
    perHour('mib').toFixed(1),
    measured(settled.map(({ descriptors }) => descriptors)).median.toFixed(0),
    perHour('descriptors').toFixed(2),
  ];
  return [row];
});
const liveSlope =
  60 * slope(settledOf(live, minutes).map(({ minute, mib }) => [minute, mib] as const));
processRows.push(['main process, in use', quarters(live, minutes), liveSlope.toFixed(1), '', '']);
console.log(
  `\n${table([['process', 'MiB, by quarter', 'MiB per hour', 'descriptors', 'per hour'], ...processRows])}`,
);
const off = summary.branches.map(imbalance);
console.log(
  `\n${summary.captured} frames captured, ${summary.fps.toFixed(1)} fps; ledger off by ${off.join(' and ')}`,
);
for (const [message, count] of warnings) console.log(`${count} × ${message}`);
for (const one of notRecovered) console.log(`not recovered: ${one}`);
if (summary.error) console.log(`ended by: ${summary.error.message}`);
const bad = summary.error !== undefined || notRecovered.length > 0;
process.exit(bad || off.some((n) => n !== 0) ? 1 : 0);

function roleOf(line: string): string {
  return line.includes('capture-host') ? 'capture process' : 'other processes';
}
