import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { Candidate } from '../benchmark/candidate.ts';
import type { Trial } from '../benchmark/search.ts';
import type { TuneResult } from '../benchmark/tune.ts';
import type { Batches } from '../benchmark/tune-batches.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Picture } from '../core/frame.ts';
import { decodeRgb } from '../imaging/decode.ts';
import { findPictures } from '../imaging/picture-files.ts';
import { findModel, verifyModel } from '../inference/model-files.ts';
import { forgetTuning, tuningKey } from '../inference/tuning-cache.ts';
import { collect, positive, positiveWhole } from './arguments.ts';
import { namedInput, requireFile, requireModel, requireProgram } from './named-input.ts';
import { print, printJson, rewriteLine } from './output.ts';
import { endingSignals } from './signals.ts';
import { table } from './table.ts';

interface Flags {
  readonly for: 'throughput' | 'latency';
  readonly candidate?: readonly string[];
  readonly helper?: readonly string[];
  readonly frames?: string;
  readonly maxLoss: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly json?: true;
  readonly forget?: true;
}

export function tuneCommand(): Command {
  return new Command('tune')
    .description('find the fastest inference settings of a model on this machine, for "run"')
    .argument('[model]', 'name of a model, or path of an .onnx file', 'fastdepth')
    .addOption(
      new Option('--for <goal>', 'optimise frames per second, or the time of one frame')
        .choices(['throughput', 'latency'])
        .default('throughput'),
    )
    .option(
      '--candidate <file.onnx>',
      'the model in another precision (see training/quantize.py); repeat for more',
      collect,
    )
    .option(
      '--helper <command>',
      'a helper that runs the model (engine: process), with its arguments; repeat for more',
      collect,
    )
    .option('--frames <folder>', 'images on which candidates are compared with the model')
    .option(
      '--max-loss <share>',
      'largest loss of δ1, relative to the model, at which a candidate is accepted',
      positive,
      0.005,
    )
    .option('--rounds <n>', 'number of measurements of each candidate', positiveWhole, 5)
    .option('--seconds <s>', 'duration of each measurement', positive, 0.5)
    .option('--json', 'print the results as JSON')
    .option('--forget', 'remove what was found for the model on this machine, and measure nothing')
    .action((model: string, flags: Flags) => (flags.forget ? forget(model) : run(model, flags)));
}

async function forget(name: string): Promise<void> {
  const { sha256, manifest } = await verifyModel(await namedInput(findModel(name, process.cwd())));
  const path = forgetTuning(tuningKey(sha256, ['cpu']));
  print(
    path === undefined
      ? `nothing is stored for ${manifest.name} on this machine`
      : `removed ${path}; "depthline run" uses the default settings of ${manifest.name} again`,
  );
}

async function run(model: string, flags: Flags): Promise<void> {
  const baseDirectory = process.cwd();
  const { for: goal, candidate: others = [], maxLoss, rounds, seconds, json } = flags;
  const helpers = (flags.helper ?? []).map((command) => command.trim().split(/\s+/));
  if (others.length + helpers.length > 0 && flags.frames === undefined) {
    const option = others.length > 0 ? '--candidate' : '--helper';
    const message = `${option} needs --frames FOLDER, with images to compare it on`;
    throw new DepthlineError('CONFIG', message);
  }
  await requireModel(model);
  for (const other of others) await requireFile(other);
  for (const [program = ''] of helpers) await requireProgram(program);
  const shots =
    flags.frames === undefined ? [] : await namedInput(pictures(flags.frames, baseDirectory));
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(new DepthlineError('OPERATOR', 'interrupted before it finished'));
  for (const signal of endingSignals) process.once(signal, interrupt);
  const shown = process.stderr.isTTY && !json;
  let measured = 0;
  try {
    const { tune } = await import('../benchmark/tune.ts');
    const result = await tune({
      ...{ model, baseDirectory, goal, others, helpers, maxLoss, rounds, seconds },
      providers: ['cpu'],
      pictures: shots,
      signal: stop.signal,
      onMeasured(left) {
        measured++;
        if (shown) rewriteLine(process.stderr, `${measured} measured, ${left} left in this round`);
      },
    });
    if (shown) rewriteLine(process.stderr, '');
    if (json) printJson(result, 2);
    else print(report(result, flags));
  } finally {
    for (const signal of endingSignals) process.off(signal, interrupt);
  }
}

/** Enough to compare two precisions. */
const mostPictures = 64;

async function pictures(folder: string, baseDirectory: string): Promise<Picture[]> {
  const { pictures: all } = await findPictures(folder, undefined, baseDirectory);
  const every = Math.ceil(all.length / mostPictures);
  const chosen = all.filter((_, i) => i % every === 0);
  return Promise.all(chosen.map(readPicture));
}

async function readPicture(path: string): Promise<Picture> {
  try {
    const { width, height, data } = await decodeRgb(path);
    return { format: 'rgb', width, height, data };
  } catch (error) {
    throw new DepthlineError('SOURCE', `cannot read ${path}: ${reason(error)}`, { cause: error });
  }
}

function report(result: TuneResult, { for: goal }: Flags): string {
  const { trials, best, byDefault, accuracy, loadMs, gmacs, path, model, batches } = result;
  const key = tuningKey(model.sha256, ['cpu']);
  const ratio = best.score / byDefault.score;
  const lines = [
    `${model.manifest.name} on ${key.processor}, ONNX Runtime ${key.runtime}, for ${goal}`,
    '',
    table([
      ['candidate', 'fps', '× default', 'rounds'],
      ...trials.map((trial) => row(trial, byDefault)),
    ]),
    '',
    ...accuracy.map(
      ({ path, delta1, accepted }) =>
        `${basename(path)}: δ1 ${delta1.toFixed(4)} against the model, ${accepted ? 'accepted' : 'rejected'}`,
    ),
    `best: ${name(best.candidate)}, ${ratio.toFixed(2)} × the default settings`,
    `load time: ${loadMs.model.median.toFixed(0)} ms for the model, ${loadMs.saved.median.toFixed(0)} ms for its saved graph${result.usesSavedGraph ? ' (used)' : ''}`,
  ];
  if (batches) lines.push('', ...batchLines(batches), '');
  if (gmacs) {
    const share = (100 * gmacs.best) / gmacs.peak;
    lines.push(
      `${gmacs.best.toFixed(1)} of ${gmacs.peak.toFixed(1)} GMAC/s, ${share.toFixed(0)} % of a large matrix product on all processors`,
    );
  }
  const { helper, workers } = result.fastest.candidate;
  if (helper) {
    const faster = (result.fastest.score / best.score).toFixed(2);
    lines.push(
      `the helper is ${faster} × as fast as that; to use it: estimate-depth: { engine: process, process: { command: ${JSON.stringify(helper)} }, workers: ${workers} }`,
    );
  }
  return [
    ...lines,
    `stored in ${path}; "depthline run" uses it unless a pipeline says tuned: off`,
  ].join('\n');
}

/** What calls of several pictures give, for several cameras. */
function batchLines({ trials, faster }: Batches): string[] {
  const rows = trials.map(({ candidate, score }) => {
    const { batch, workers, threads } = candidate;
    return [String(batch), `${workers} × ${threads} threads`, score.toFixed(1)];
  });
  return [
    table([['pictures in a call', 'workers', 'fps'], ...rows]),
    '',
    faster
      ? `several cameras: up to ${faster.candidate.batch} pictures in a call, ${faster.score.toFixed(1)} fps`
      : 'several cameras: one picture in a call; more are not faster here',
  ];
}

function row(trial: Trial<Candidate>, byDefault: Trial<Candidate>): string[] {
  return [
    name(trial.candidate),
    trial.score.toFixed(1),
    (trial.score / byDefault.score).toFixed(2),
    trial.givenUpAfter === undefined ? 'all' : `${trial.givenUpAfter}, stopped early`,
  ];
}

function name({ path, workers, threads, session, helper }: Candidate): string {
  if (helper) {
    const [program = '', ...args] = helper;
    return `${[basename(program), ...args].join(' ')}, ${workers} × helper`;
  }
  const { spinning, arena, graph } = session;
  return [
    basename(path),
    `${workers} × ${threads} threads`,
    graph,
    arena ? 'arena' : 'no arena',
    ...(threads > 1 ? [spinning ? 'spinning' : 'no spinning'] : []),
  ].join(', ');
}
