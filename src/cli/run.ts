import { Command, Option } from 'commander';
import { config } from 'zod';
import { DepthlineError, reason } from '../core/errors.ts';
import type { AnyPipeline } from '../pipeline/cameras.ts';
import { type LoadOptions, requireValid } from '../pipeline/pipeline-file.ts';
import { serveOptions } from '../pipeline/serve-options.ts';
import type { Run, RunSummary } from '../runtime/run-handle.ts';
import { Supervisor, type SupervisorOptions } from '../runtime/supervisor.ts';
import { readiness } from '../serve/run-health.ts';
import { Systemd } from '../serve/systemd.ts';
import { pipelineArgument, positiveWhole, seconds, setOption } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { HangWatch } from './hang-watch.ts';
import { addCommands, openService, snapshotFolder } from './open-service.ts';
import { logAsJson, onReaderGone, printJson } from './output.ts';
import { readPipeline } from './read-pipeline.ts';
import { Reloader } from './reload.ts';
import { report } from './report-error.ts';
import { runLogger, showSummary } from './run-log.ts';
import { formatStages, jsonStats, StatusLine } from './run-output.ts';
import { dieBy, Hangups, onEndingSignals } from './signals.ts';

// Nearly every schema is used once or twice, and to compile it takes longer than that.
config({ jitless: true });

/** Flags of every command that runs a pipeline. */
export interface RunFlags {
  readonly set?: readonly string[];
  readonly frames?: number;
  readonly duration?: number;
  readonly serve?: string;
  readonly record?: string;
  readonly snapshots?: string;
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
    .option(
      '--serve <host:port>',
      'serve metrics, health and commands over HTTP, such as on 127.0.0.1:9464',
    )
    .option('--snapshots <directory>', 'with --serve: folder of snapshots that requests ask for')
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

/** What runs in place of the file's own source. */
type Instead = Pick<LoadOptions, 'source' | 'camera'>;

export async function runAction(
  nameOrFile: string,
  flags: RunFlags,
  onSignals: () => void,
  instead: Instead = {},
): Promise<void> {
  try {
    process.exitCode = await run(nameOrFile, flags, onSignals, instead);
  } finally {
    // Native modules may leave handles open, and a component that was still opening when another failed.
    setTimeout(() => process.exit(), 500).unref();
  }
}

async function run(
  nameOrFile: string,
  flags: RunFlags,
  onSignals: () => void,
  instead: Instead,
): Promise<number> {
  if (flags.log === 'json') logAsJson();
  const hangups = new Hangups();
  if (flags.serve !== undefined) hangups.heed();
  const hangWatch = new HangWatch(flags.log === 'json');
  hangWatch.enter('loading the pipeline');
  const { set = [], record } = flags;
  const read = () => readPipeline(findPipeline(nameOrFile), { set, ...instead });
  const prepare = await preparation(record);
  const loaded = await read();
  const pipeline = prepare(requireValid(loaded));
  const serve = serveOptions(flags.serve, loaded.serve);
  if (flags.snapshots !== undefined && !serve)
    throw new DepthlineError(
      'CONFIG',
      '--snapshots needs --serve: requests over HTTP ask for them',
    );
  if (serve) hangups.heed();
  hangWatch.leave();

  const stop = new AbortController();
  let supervisor: Supervisor | undefined;
  const current = () => supervisor?.run;
  let interrupts = 0;
  onEndingSignals(
    (signal) => {
      interrupts++;
      const running = current();
      if (interrupts === 1) {
        void systemd?.stop();
        stop.abort();
        if (!running) setTimeout(() => dieBy(signal), giveUpMs).unref();
      } else if (interrupts === 2 && running) {
        running.abort();
      } else {
        dieBy(signal);
      }
    },
    serve ? ['SIGHUP'] : [],
  );
  onSignals();
  onReaderGone(() => stop.abort());
  const status = new StatusLine(flags.stats === 'text');
  process.on('SIGUSR2', () => {
    const running = current();
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
    const running = current();
    if (running) running.abort();
    else process.exit(report(stray));
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);

  const log = runLogger(status, flags.stats !== 'none');
  const systemd = Systemd.start({
    env: process.env,
    ready: () => readiness(current()),
    alive: () => isAlive(current()),
    warn: (message) => log.warn(message),
  });
  const service = serve && (await openService(serve, log));
  const reloader = new Reloader({
    ...{ first: loaded, read, prepare, supervisor: () => supervisor },
    // What a request or a signal has changed is told in any case.
    log: runLogger(status, true),
    onBegin: () => systemd?.reloading(),
    onEnd: () => systemd?.reloaded(),
  });
  const commands =
    service &&
    (await addCommands(service, {
      run: current,
      reload: (restart) => reloader.reload(restart),
      directory: snapshotFolder(flags.snapshots, serve, pipeline.baseDirectory),
    }));
  const runOptions: SupervisorOptions = {
    listener: hangWatch,
    log,
    ...(service && { observer: service.observer }),
    ...(commands && { onFrame: commands.onFrame }),
    onRun: (run) => {
      commands?.onRun();
      service?.attach(run);
      status.restart();
    },
    onReplaced: (summary) => {
      status.clear();
      showSummary(summary, flags.stats);
    },
    signal: stop.signal,
    ...(flags.frames !== undefined && { frames: flags.frames }),
    ...(flags.duration !== undefined && { durationMs: flags.duration * 1000 }),
  };
  const end = async () => {
    await systemd?.stop();
    systemd?.close();
    await service?.close();
    hangWatch.close();
  };
  let done: RunSummary;
  const timer = setInterval(() => {
    const stats = current()?.stats();
    if (!stats) return;
    if (flags.stats === 'json') printJson(jsonStats(stats));
    else status.update(stats);
  }, 1000);
  // A component whose opening never finishes is to be noticed.
  timer.unref();
  try {
    supervisor = await Supervisor.start(pipeline, runOptions);
    hangups.follow(() => reloader.hangup());
    done = await supervisor.done;
  } catch (error) {
    clearInterval(timer);
    await end();
    if (error === stop.signal.reason) return 0;
    throw error;
  }
  clearInterval(timer);
  await end();
  const error = done.error ?? stray;
  status.clear();
  showSummary({ ...done, ...(error && { error }) }, flags.stats);
  if (error !== undefined) return report(error);
  return interrupts > 1 ? secondAbortExit : 0;
}

/** What the command line adds to a pipeline. */
async function preparation(
  record: string | undefined,
): Promise<(pipeline: AnyPipeline) => AnyPipeline> {
  if (record === undefined) return (pipeline) => pipeline;
  const { recorded } = await import('./record.ts');
  return (pipeline) => recorded(pipeline, record);
}

/**
 * A run that is stalled is better started again; one that waits or reconnects is not. A camera that is
 * stalled does not have the others started again.
 */
function isAlive(run: Run | undefined): boolean {
  if (!run) return true;
  const { stages, cameras } = run.stats();
  const isWell = (camera: string | undefined) =>
    stages.every((one) => one.camera !== camera || one.state !== 'stalled');
  if (!cameras) return isWell(undefined);
  return (
    cameras.some(({ name, state }) => state === 'running' && isWell(name)) ||
    cameras.every(({ state }) => state !== 'running')
  );
}
