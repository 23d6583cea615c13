import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Command } from 'commander';
import { benchPipeline, type PipelineBench } from '../benchmark/pipeline-bench.ts';
import { cpuParts, cpuPlot } from '../benchmark/plot.ts';
import type { Measured } from '../benchmark/statistics.ts';
import { builtins } from '../components.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { requirePipeline } from '../core/pipeline-file.ts';
import { noPowerMeter, openPowerMeter } from '../device/power.ts';
import { collect, positive, positiveWhole } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { progressBar } from './progress-bar.ts';
import { table } from './run-output.ts';

interface Flags {
  readonly set: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly flood?: true;
  readonly json?: true;
  readonly plot?: string;
  readonly power?: true;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('speed, latency and cost of a pipeline, beside its model in a bare loop')
    .argument('<name-or-file>', 'a named pipeline (see "depthline list") or a .yaml file')
    .option('--set <path=value>', 'replace an option: source.video-file.path=a.mp4', collect, [])
    .option('--rounds <n>', 'times that pipeline and model are measured, in turn', positiveWhole, 5)
    .option('--seconds <s>', 'length of each measurement', positive, 4)
    .option('--flood', 'a test pattern, as fast as it is taken, in place of the source')
    .option('--power', 'watts and energy per frame, where there is a sensor')
    .option('--json', 'print the results as JSON')
    .option('--plot <file.svg>', 'draw where the CPU time of a frame goes')
    .action(bench);
}

async function bench(nameOrFile: string, flags: Flags): Promise<void> {
  const set = flags.flood ? [...flags.set, flood] : flags.set;
  const pipeline = await requirePipeline(findPipeline(nameOrFile), { registry: builtins, set });
  const stop = new AbortController();
  const interrupt = () => stop.abort(new DepthlineError('OPERATOR', 'interrupted before the end'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupt);
  const power = flags.power ? openPowerMeter() : undefined;
  if (flags.power && !power) console.error(noPowerMeter);
  const bar = progressBar(flags.rounds, 'rounds', !flags.json);
  try {
    const { rounds, seconds } = flags;
    const onRound = () => bar?.increment();
    const { signal } = stop;
    const result = await benchPipeline(pipeline, { rounds, seconds, onRound, signal, power });
    bar?.stop();
    const machine = `${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}`;
    if (flags.json) console.log(JSON.stringify({ machine, ...result }, null, 2));
    else console.log(`${machine}\n\n${report(result, flags)}`);
    if (flags.plot !== undefined) save(flags.plot, cpuPlot(result));
  } finally {
    bar?.stop();
    power?.close();
    for (const signal of signals) process.off(signal, interrupt);
  }
}

/** Paced by nothing, so that the pipeline itself is the limit. */
const flood = 'source={ test-pattern: { width: 640, height: 480 } }';

function report(result: PipelineBench, { rounds, seconds }: Flags): string {
  const { bare, ratio, cpuMsPerFrame: cpu, latencyMs, power } = result;
  const row = (what: string, unit: string, value: Measured) => [
    what,
    figure(value.median),
    `${figure(value.min)} … ${figure(value.max)}`,
    unit,
  ];
  const rows = [
    ['', 'median', 'spread', ''],
    ...(bare ? [row(`model alone, ${bare.workers}×${bare.threads} threads`, 'fps', bare.fps)] : []),
    row('pipeline', 'fps', result.fps),
    ...(ratio ? [row('pipeline / model alone', '', ratio)] : []),
    row('CPU time per frame', 'ms', cpu.total),
    ...cpuParts(result).map(([what, value]) => row(`  ${what}`, 'ms', value)),
    ...Object.entries(latencyMs).flatMap(([name, latency]) =>
      (['p50', 'p95', 'p99'] as const).map((p) =>
        row(`latency to ${name}, ${p}`, 'ms', latency[p]),
      ),
    ),
    row('event loop delay, p50', 'ms', result.eventLoopMs.p50),
    row('event loop delay, p99', 'ms', result.eventLoopMs.p99),
    row('start to first frame', 'ms', result.startUpMs),
    row('memory of all processes, peak', 'MiB', result.peakMemoryMiB),
    row('allocated per frame, about', 'KiB', result.allocatedKiBPerFrame),
    ...(power
      ? [
          row(`power${power.mode === undefined ? '' : ` in mode ${power.mode}`}`, 'W', power.watts),
          row('energy per frame', 'mJ', power.mJPerFrame),
        ]
      : []),
  ];
  return `${result.pipeline}: ${rounds} rounds of ${seconds} s\n${table(rows)}`;
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new DepthlineError('SINK', `cannot write ${path}: ${reason(cause)}`, { cause });
  }
}
