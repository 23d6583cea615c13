import { Command, Option } from 'commander';
import { builtins } from '../builtins.ts';
import type { Logger } from '../core/component.ts';
import { requirePipeline } from '../pipeline/pipeline-file.ts';
import type { Run, RunOptions } from '../runtime/run-handle.ts';
import { startPipeline } from '../runtime/runner.ts';
import { collect, positive, positiveWhole } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { HangWatch } from './hang-watch.ts';
import { report } from './report-error.ts';
import { formatStages, formatSummary, jsonStats, jsonSummary, StatusLine } from './run-output.ts';

interface Flags {
  readonly set: readonly string[];
  readonly frames?: number;
  readonly duration?: number;
  readonly stats: 'text' | 'json' | 'none';
}

const secondAbortExit = 130;

export function runCommand(): Command {
  return new Command('run')
    .description('run a pipeline until its source ends, or Ctrl-C')
    .argument('<name-or-file>', 'a named pipeline (see "depthline list") or a .yaml file')
    .option('--set <path=value>', 'replace an option: source.video-file.path=a.mp4', collect, [])
    .option('--frames <n>', 'end after n captured frames', positiveWhole)
    .option('--duration <seconds>', 'end after this many seconds', positive)
    .addOption(
      new Option('--stats <how>', 'what to print')
        .choices(['text', 'json', 'none'])
        .default('text'),
    )
    .action(async (nameOrFile: string, flags: Flags) => {
      process.exitCode = await run(nameOrFile, flags);
      // Native modules may keep handles that nobody needs any more.
      setTimeout(() => process.exit(), 500).unref();
    });
}

async function run(nameOrFile: string, flags: Flags): Promise<number> {
  const stop = new AbortController();
  let running: Run | undefined;
  let interrupts = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    interrupts++;
    if (interrupts === 1) stop.abort();
    else if (interrupts === 2) running?.abort();
    else dieBy(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  process.on('SIGPIPE', () => stop.abort());

  const pipeline = await requirePipeline(findPipeline(nameOrFile), {
    registry: builtins,
    set: flags.set,
  });
  const status = new StatusLine(process.stderr, flags.stats === 'text');
  process.on('SIGUSR2', () => {
    status.print(running ? formatStages(running.stats()) : 'components are still being opened');
  });
  // An error outside any stage (a user's stray timer) still closes what is open.
  let stray: unknown;
  const onStray = (error: unknown) => {
    stray ??= error;
    if (running) running.abort();
    else process.exit(report(error));
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);

  const hangWatch = new HangWatch();
  const options: RunOptions = {
    listener: hangWatch,
    log: logger(status, flags.stats !== 'none'),
    signal: stop.signal,
    ...(flags.frames !== undefined && { frames: flags.frames }),
    ...(flags.duration !== undefined && { durationMs: flags.duration * 1000 }),
  };
  running = await startPipeline(pipeline, options);
  const handle = running;
  const timer = setInterval(() => {
    const stats = handle.stats();
    if (flags.stats === 'json') console.log(JSON.stringify(jsonStats(stats)));
    else status.update(stats);
  }, 1000);
  const summary = await handle.done;
  clearInterval(timer);
  hangWatch.close();
  status.clear();
  if (flags.stats === 'json') console.log(JSON.stringify(jsonSummary(summary)));
  if (flags.stats === 'text') console.log(formatSummary(summary));
  const error = summary.error ?? stray;
  if (error !== undefined) return report(error);
  return interrupts > 1 ? secondAbortExit : 0;
}

/** Without the listeners a signal ends the process at once; `process.exit` would wait for threads. */
function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function logger(status: StatusLine, shown: boolean): Logger {
  const print = (message: string) => {
    if (shown) status.print(message);
  };
  return {
    debug: (message) => {
      if (process.env.DEPTHLINE_DEBUG) print(message);
    },
    info: print,
    warn: (message) => status.print(`warning: ${message}`),
  };
}
