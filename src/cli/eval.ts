import { Command, Option } from 'commander';
import { DepthlineError } from '../core/errors.ts';
import { intervalProblem } from '../core/interval.ts';
import { resolvePath } from '../core/resolve-path.ts';
import {
  type EvaluationOptions,
  evaluateSet,
  type SetResult,
  setName,
} from '../evaluation/evaluate.ts';
import { requireReportPlace, writeReport } from '../evaluation/report.ts';
import { crops, findRgbdPairs, type RgbdPair } from '../evaluation/rgbd-folder.ts';
import { comparisonRows, notes } from '../evaluation/tables.ts';
import { providerNames } from '../inference/engines/choice.ts';
import { DepthEstimator } from '../inference/estimator.ts';
import { collect, positive, positiveWhole, whole } from './arguments.ts';
import { evaluateStereoFolders, type StereoFlags } from './eval-stereo.ts';
import { namedInput, requireModel } from './named-input.ts';
import { print, printError, printJson } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { table } from './table.ts';

interface Flags extends Pick<StereoFlags, 'sgm' | 'disparityStep'> {
  readonly stereo?: true;
  readonly model?: readonly string[];
  readonly sequence?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly border: number;
  readonly crop: (typeof crops)[number];
  readonly depthUnit: number;
  readonly every: number;
  readonly average: 'frames' | 'pixels';
  readonly threads: number;
  readonly provider: readonly (typeof providerNames)[number][];
  readonly json?: true;
  readonly report?: string;
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('measure the accuracy and latency of models on RGB-D data')
    .argument('<folder...>', 'folders that contain rgb/ and depth/ (16-bit PNG)')
    .option(
      '--model <name-or-path>',
      'name or path of a model; repeat for more (default: fastdepth)',
      collect,
    )
    .option('--sequence <name>', 'use only this sequence of manifest.csv; repeat for more', collect)
    .option('--min <metres>', 'ignore pixels whose true depth is smaller', positive)
    .option('--max <metres>', 'ignore pixels whose true depth is larger', positive)
    .option('--border <pixels>', 'pixels to ignore at each edge', whole, 0)
    .addOption(
      new Option(
        '--crop <how>',
        'evaluate the whole frame, or the 304×228 centre crop of the FastDepth paper',
      )
        .choices(crops)
        .default('none'),
    )
    .option(
      '--depth-unit <metres>',
      'metres per unit of 16-bit depth (TUM: 0.0002)',
      positive,
      0.001,
    )
    .option('--every <n>', 'use every n-th frame', positiveWhole, 1)
    .addOption(
      new Option('--average <over>', 'average errors over frames, or over all pixels')
        .choices(['frames', 'pixels'])
        .default('frames'),
    )
    .option('--threads <n>', 'threads per model', positiveWhole, 1)
    .addOption(
      new Option('--provider <name...>', 'ONNX Runtime execution providers, in order of preference')
        .choices(providerNames)
        .default(['cpu']),
    )
    .option(
      '--stereo',
      'the folders hold stereo pairs: left/, right/, disparity/ and calib/, or scenes of Middlebury',
    )
    .option('--sgm', 'with --stereo: compare with semi-global matching (needs python3-opencv)')
    .option(
      '--disparity-step <pixels>',
      'with --stereo: pixels per step of 8-bit disparity (Middlebury 2003: 0.25)',
      positive,
      0.25,
    )
    .option('--json', 'print the results as JSON')
    .option('--report <dir>', 'write an HTML report with error maps of every frame')
    .action(evaluate);
}

async function evaluate(folders: readonly string[], flags: Flags): Promise<void> {
  if (flags.stereo) return evaluateStereoFolders(folders, flags);
  const baseDirectory = process.cwd();
  const options = evaluationOptions(flags);
  const report = flags.report === undefined ? undefined : resolvePath(baseDirectory, flags.report);
  if (report !== undefined) await requireReportPlace(report);
  const { model: models = ['fastdepth'], sequence = [] } = flags;
  for (const model of models) await requireModel(model);
  const warn = (message: string) => printError(`warning: ${message}`);
  const sets: { name: string; pairs: RgbdPair[] }[] = [];
  for (const folder of folders) {
    const pairs = await namedInput(findRgbdPairs(folder, baseDirectory, sequence, warn));
    sets.push({ name: setName(folder), pairs: pairs.filter((_, i) => i % flags.every === 0) });
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const estimators: DepthEstimator[] = [];
  const bar = progressBar(
    sets.reduce((sum, { pairs }) => sum + pairs.length, 0),
    'frames',
    !flags.json,
  );
  try {
    for (const model of models) {
      const { threads, provider } = flags;
      estimators.push(
        await DepthEstimator.open({ model, baseDirectory, threads, providers: provider }),
      );
    }
    const results: SetResult[] = [];
    for (const { name, pairs } of sets) {
      const onFrame = () => bar?.increment();
      const signal = stop.signal;
      results.push(await evaluateSet(name, pairs, estimators, { ...options, onFrame, signal }));
    }
    bar?.stop();
    if (stop.signal.aborted) throw new DepthlineError('OPERATOR', 'interrupted before it finished');
    printResults(results, flags);
    if (report === undefined) return;
    const page = await writeReport(report, {
      command: `depthline ${process.argv.slice(2).join(' ')}`,
      sets: results.map((result, i) => ({ result, pairs: sets[i]?.pairs ?? [] })),
      estimators,
      rgbd: options,
    });
    printError(`report: ${page}`);
  } finally {
    bar?.stop();
    process.off('SIGINT', interrupt);
    await Promise.all(estimators.map((estimator) => estimator.close()));
  }
}

function evaluationOptions(flags: Flags): EvaluationOptions {
  const { border, crop, depthUnit, average } = flags;
  const range = { min: flags.min ?? Number.MIN_VALUE, max: flags.max ?? Number.MAX_VALUE };
  const problem = intervalProblem(range, { min: '--min', max: '--max' });
  if (problem !== undefined) throw new DepthlineError('CONFIG', problem);
  return { border, crop, depthUnit, average, range };
}

function printResults(results: readonly SetResult[], { json }: Flags): void {
  if (json) {
    printJson({ sets: results }, 2);
    return;
  }
  for (const result of results) {
    const lines = [
      `${result.set}: ${result.frames} frames`,
      table(comparisonRows(result)),
      ...notes(result),
    ];
    print(`${lines.join('\n')}\n`);
  }
}
