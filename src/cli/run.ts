import { Command, Option } from 'commander';
import { builtins } from '../builtins.ts';
import type { Logger } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Mapping } from '../pipeline/file-schema.ts';
import { requireLoaded } from '../pipeline/pipeline-file.ts';
import { serveOptions } from '../pipeline/serve-options.ts';
import type { Run, RunOptions, RunSummary } from '../runtime/run-handle.ts';
import { startPipeline } from '../runtime/runner.ts';
import { pipelineArgument, positiveWhole, seconds, setOption } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { HangWatch } from './hang-watch.ts';
import { openService } from './open-service.ts';
import {
  isLogJson,
  type LogLevel,
  logAsJson,
  onReaderGone,
  print,
  printJson,
  printLog,
} from './output.ts';
import { recorded } from './record.ts';
import { report } from './report-error.ts';
import { formatStages, formatSummary, jsonStats, jsonSummary, StatusLine } from './run-output.ts';
import { dieBy, onEndingSignals } from './signals.ts';

/** Flags of every command that runs a pipeline. */
export interface RunFlags {
  readonly set?: readonly string[];
  readonly frames?: number;
  readonly duration?: number;
  readonly serve?: string;
  readonly record?: string;
  readonly stats: 'text' | 'json' | 'none';
  readonly log: 'text' | 'json';
}

const secondAbortExit = 130;
/** Time after a signal for components that are still opening to stop, milliseconds. */
const giveUpMs = 3000;

/** @param onSignals called once this command handles signals itself */
export function runCommand(onSignals: () => void): Command {
  return withRunFlags(
    new Command('run')
      .description('run a pipeline until its source ends or Ctrl-C is pressed')
      .argument(...pipelineArgument),
  ).action((nameOrFile: string, flags: RunFlags) => runAction(nameOrFile, flags, onSignals));
}

export function withRunFlags(command: Command): Command {
  return command
    .addOption(setOption())
    .option('--frames <n>', 'stop after this many captured frames', positiveWhole)
    .option('--duration <time>', 'stop after this many seconds, or 90s, 5min, 1h', seconds)
    .option('--record <file.mcap>', 'record the frames of the source, and the ledger, for "replay"')
    .option('--serve <host:port>', 'serve metrics and health over HTTP, such as on 127.0.0.1:9464')
    .addOption(
      new Option('--stats <format>', 'format of the statistics')
        .choices(['text', 'json', 'none'])
        .default('text'),
    )
    .addOption(
      new Option('--log <format>', 'format of messages on standard error; json: an object per line')
        .choices(['text', 'json'])
        .default('text'),
    );
}

/** @param source in place of that of the file */
export async function runAction(
  nameOrFile: string,
  flags: RunFlags,
  onSignals: () => void,
  source?: Mapping,
): Promise<void> {
  process.exitCode = await run(nameOrFile, flags, onSignals, source);
  // Native modules may leave handles open.
  setTimeout(() => process.exit(), 500).unref();
}

async function run(
  nameOrFile: string,
  flags: RunFlags,
  onSignals: () => void,
  source: Mapping | undefined,
): Promise<number> {
  if (flags.log === 'json') logAsJson();
  const hangWatch = new HangWatch(flags.log === 'json');
  hangWatch.enter('loading the pipeline');
  const { set = [], record } = flags;
  const options = { registry: builtins, set, source };
  const loaded = await requireLoaded(findPipeline(nameOrFile), options);
  const pipeline = record === undefined ? loaded.pipeline : recorded(loaded.pipeline, record);
  const serve = serveOptions(flags.serve, loaded.serve);
  hangWatch.leave();

  const stop = new AbortController();
  let running: Run | undefined;
  let interrupts = 0;
  onEndingSignals((signal) => {
    interrupts++;
    if (interrupts === 1) {
      stop.abort();
      if (!running) setTimeout(() => dieBy(signal), giveUpMs).unref();
    } else if (interrupts === 2 && running) {
      running.abort();
    } else {
      dieBy(signal);
    }
  });
  onSignals();
  onReaderGone(() => stop.abort());
  const status = new StatusLine(flags.stats === 'text');
  process.on('SIGUSR2', () => {
    if (!running) {
      status.print('info', 'opening components');
      return;
    }
    const stats = running.stats();
    status.print('info', formatStages(stats), { event: 'stages', stages: stats.stages });
  });
  // An error outside every stage, such as one thrown by a timer, must still close what is open.
  let stray: DepthlineError | undefined;
  const onStray = (error: unknown) => {
    stray ??= new DepthlineError('OPERATOR', `uncaught error: ${reason(error)}`, {
      cause: error,
    });
    if (running) running.abort();
    else process.exit(report(stray));
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);

  const log = logger(status, flags.stats !== 'none');
  const service = serve && (await openService(serve, log));
  const runOptions: RunOptions = {
    listener: hangWatch,
    log,
    ...(service && { observer: service.observer }),
    signal: stop.signal,
    ...(flags.frames !== undefined && { frames: flags.frames }),
    ...(flags.duration !== undefined && { durationMs: flags.duration * 1000 }),
  };
  try {
    running = await startPipeline(pipeline, runOptions);
  } catch (error) {
    await service?.close();
    if (error === stop.signal.reason) return 0;
    throw error;
  }
  const handle = running;
  service?.attach(handle);
  const timer = setInterval(() => {
    const stats = handle.stats();
    if (flags.stats === 'json') printJson(jsonStats(stats));
    else status.update(stats);
  }, 1000);
  const done = await handle.done;
  await service?.close();
  const error = done.error ?? stray;
  const summary = { ...done, ...(error && { error }) };
  clearInterval(timer);
  hangWatch.close();
  status.clear();
  if (flags.stats === 'json') printJson(jsonSummary(summary));
  if (flags.stats === 'text') printSummary(summary);
  if (error !== undefined) return report(error);
  return interrupts > 1 ? secondAbortExit : 0;
}

/** With `--log json` there is nothing on standard output but what `--stats json` prints. */
function printSummary(summary: RunSummary): void {
  const text = formatSummary(summary);
  if (isLogJson()) printLog('info', text, { event: 'summary', summary: jsonSummary(summary) });
  else print(text);
}

function logger(status: StatusLine, shown: boolean): Logger {
  const print = (level: LogLevel) => (message: string, component?: string) => {
    if (!shown && level !== 'warn') return;
    if (level === 'debug' && !process.env.DEPTHLINE_DEBUG) return;
    // As text, the message begins with the name of the component.
    const prefix = component !== undefined && isLogJson() ? `${component}: ` : '';
    const own = message.startsWith(prefix) ? message.slice(prefix.length) : message;
    status.print(level, own, component === undefined ? {} : { component });
  };
  return { debug: print('debug'), info: print('info'), warn: print('warn') };
}
