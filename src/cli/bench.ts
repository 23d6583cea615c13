import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { benchPipeline, type PipelineBench } from '../benchmark/pipeline-bench.ts';
import { cpuParts, cpuPlot, plotMark } from '../benchmark/plot.ts';
import type { Measured } from '../benchmark/statistics.ts';
import { builtins } from '../builtins.ts';
import { DepthlineError } from '../core/errors.ts';
import { noPowerMeter, openPowerMeter, powerMode, setPowerMode } from '../device/power.ts';
import { requirePipeline } from '../pipeline/pipeline-file.ts';
import { pipelineArgument, positive, positiveWhole, setOption } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { print, printError, printJson } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { endingSignals } from './signals.ts';
import { table } from './table.ts';
import { requireWritable, writeResult } from './write-result.ts';

interface Flags {
  readonly set?: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly flood?: true;
  readonly json?: true;
  readonly plot?: string;
  readonly power?: true;
  readonly modes?: readonly string[];
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure the speed, latency and CPU cost of a pipeline, and of its model alone')
    .argument(...pipelineArgument)
    .addOption(setOption())
    .option(
      '--rounds <n>',
      'number of measurements of the pipeline and the model, in turn',
      positiveWhole,
      5,
    )
    .option('--seconds <s>', 'duration of each measurement', positive, 4)
    .option('--warm-up <s>', 'warm-up before each measurement, seconds', positive, 2)
    .option('--flood', 'replace the source by a test pattern without a frame rate limit')
    .option('--power', 'measure power and energy per frame (needs a power sensor)')
    .option(
      '--modes <ids>',
      'repeat in each of these nvpmodel power modes, such as 0,1 (needs root)',
      list,
    )
    .option('--json', 'print the results as JSON')
    .option('--plot <file.svg>', 'plot the CPU time per frame by stage')
    .action(bench);
}

async function bench(nameOrFile: string, flags: Flags): Promise<void> {
  await requireWritable(flags.plot, plotMark);
  const set = [...(flags.set ?? []), ...(flags.flood ? [flood] : [])];
  const pipeline = await requirePipeline(findPipeline(nameOrFile), { registry: builtins, set });
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(new DepthlineError('OPERATOR', 'interrupted before it finished'));
  for (const signal of endingSignals) process.once(signal, interrupt);
  const power = flags.power || flags.modes ? openPowerMeter() : undefined;
  if (!power && (flags.power || flags.modes)) printError(noPowerMeter);
  const { modes = [] } = flags;
  const before = modes.length > 0 ? powerMode()?.id : undefined;
  const bar = progressBar(Math.max(1, modes.length) * flags.rounds, 'rounds', !flags.json);
  try {
    const { rounds, seconds, warmUp, json, plot } = flags;
    const { signal } = stop;
    const onRound = () => bar?.increment();
    const measure = () =>
      benchPipeline(pipeline, { rounds, seconds, warmUp, onRound, signal, power });
    const results: PipelineBench[] = [];
    for (const mode of modes) {
      setPowerMode(mode);
      results.push(await measure());
    }
    if (modes.length === 0) results.push(await measure());
    bar?.stop();
    const [first] = results as [PipelineBench];
    const machine = `${cpus().length} × ${cpus()[0]?.model}, Node.js ${process.version}`;
    if (json) printJson({ machine, ...(modes.length > 0 ? { results } : first) }, 2);
    else print(`${machine}\n\n${modes.length > 0 ? overview(results) : report(first, flags)}`);
    if (plot !== undefined) await writeResult(plot, cpuPlot(first), plotMark);
  } finally {
    bar?.stop();
    power?.close();
    if (before) setPowerMode(before);
    for (const signal of endingSignals) process.off(signal, interrupt);
  }
}

/** A source without a frame rate, so that the pipeline itself is the limit. */
const flood = 'source={ test-pattern: { width: 640, height: 480 } }';

/** One line per power mode. */
function overview(results: readonly PipelineBench[]): string {
  const rows = results.map(({ power, fps, latencyMs }) => {
    const [latency] = Object.values(latencyMs);
    const figures = [fps, latency?.p50, power?.watts, power?.mJPerFrame];
    return [power?.mode ?? '', ...figures.map((value) => (value ? figure(value.median) : '?'))];
  });
  return `${results[0]?.pipeline}\n${table([['mode', 'fps', 'latency p50, ms', 'W', 'mJ per frame'], ...rows])}`;
}

function list(text: string): string[] {
  const ids = text.split(',');
  if (ids.every((id) => /^\d+$/.test(id))) return ids;
  throw new InvalidArgumentError('It must be numbers separated by commas, such as 0,1.');
}

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
    ...(cpu.bareInference ? [row('  (model alone, in a bare loop)', 'ms', cpu.bareInference)] : []),
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
  const title = `${result.pipeline}: ${rounds} rounds of ${seconds} s`;
  return [title, table(rows), ...notes(result)].join('\n');
}

/** Below this share of the model's own speed something else is the limit. */
const nearModel = 0.95;
/** Processors of other programs that change the figures. */
const foreignAllowed = 0.1;

/** What has to be known to read the figures. */
function notes({ ratio, limitedBy, foreignProcessors }: PipelineBench): string[] {
  const foreign = foreignProcessors.median;
  return [
    ...(ratio && ratio.median < nearModel ? [`The speed is limited by ${limitedBy}.`] : []),
    ...(foreign > foreignAllowed
      ? [
          `Other programs used ${figure(foreign)} processors meanwhile: repeat this on an idle machine.`,
        ]
      : []),
  ];
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
