// npm run bench                       every benchmark
// npm run bench -- throughput cost    some of them
// npm run bench -- --rounds 3 --seconds 2 --json

import { cpus } from 'node:os';
import { Command } from 'commander';
import type { Measured } from '../src/benchmark/statistics.ts';
import { backpressure } from './backpressure.ts';
import { calibration } from './calibrate.ts';
import { cameras } from './cameras.ts';
import { cost } from './cost.ts';
import { cover } from './cover.ts';
import { enginesBench } from './engines.ts';
import { filters } from './filters.ts';
import { freshness } from './freshness.ts';
import { idle } from './idle.ts';
import { interrupt } from './interrupt.ts';
import { natsBench } from './nats.ts';
import { packing } from './packing.ts';
import { peers } from './peers.ts';
import { recording } from './recording.ts';
import { register } from './register.ts';
import { reruns } from './reruns.ts';
import { restarts } from './restarts.ts';
import { scaling } from './scaling.ts';
import { smoothing } from './smoothing.ts';
import { stereo } from './stereo.ts';
import type { Bench, BenchOptions } from './support/bench.ts';
import { throughput } from './throughput.ts';
import { web } from './web.ts';

const benches: readonly Bench[] = [
  peers,
  throughput,
  cost,
  enginesBench,
  stereo,
  register,
  cover,
  filters,
  smoothing,
  calibration,
  freshness,
  idle,
  scaling,
  cameras,
  backpressure,
  restarts,
  reruns,
  interrupt,
  packing,
  natsBench,
  web,
  recording,
];

const command = new Command('bench')
  .argument('[name...]', `of ${benches.map(({ name }) => name).join(', ')}; default: all`)
  .option('--rounds <n>', 'repetitions', Number, 7)
  .option('--seconds <n>', 'length of one measurement', Number, 4)
  .option('--warm-up <n>', 'seconds before a measurement', Number, 3)
  .option('--model <name-or-path>', 'uint8 NHWC in', 'fastdepth')
  .option('--only <text>', 'of peers, recording and nats: what has this in its name', '')
  .option('--rgbd <folder>', 'folder with rgb/ and depth/, instead of rendered rooms (calibrate)')
  .option('--json', 'one JSON object per line')
  .parse();

const names = command.args;
const unknown = names.find((name) => !benches.some((bench) => bench.name === name));
if (unknown !== undefined) command.error(`there is no benchmark "${unknown}"`);
const { json, ...options } = command.opts<BenchOptions & { json?: true }>();

if (!json) console.log(`${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}\n`);
for (const bench of benches) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  if (!json) console.log(`${bench.name}: ${bench.summary}`);
  await bench.run(options, (what, unit, value) => {
    if (json) console.log(JSON.stringify({ bench: bench.name, what, unit, ...value }));
    else console.log(`  ${what.padEnd(56)} ${text(value)} ${unit}`);
  });
  if (!json) console.log();
}
process.exit();

function text({ median, min, max, rounds }: Measured): string {
  const spread = rounds > 1 ? ` (${figure(min)} … ${figure(max)})` : '';
  return `${figure(median).padStart(8)}${spread}`;
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
