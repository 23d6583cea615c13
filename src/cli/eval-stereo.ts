import { DepthlineError } from '../core/errors.ts';
import { setName } from '../evaluation/evaluate.ts';
import {
  classicalMethods,
  evaluateStereo,
  monoMethod,
  networkMethod,
  type StereoMethod,
  type StereoMethodResult,
  type StereoSetResult,
} from '../evaluation/stereo/evaluate-stereo.ts';
import { SemiGlobalMatching } from '../evaluation/stereo/sgm.ts';
import { findStereoPairs, type StereoPair } from '../evaluation/stereo/stereo-folder.ts';
import { figure, milliseconds } from '../evaluation/tables.ts';
import type { providerNames } from '../inference/engines/choice.ts';
import { DepthEstimator } from '../inference/estimator.ts';
import { kindOfModel } from '../inference/model-files.ts';
import type { DisparityCheck } from '../inference/stereo/protocol.ts';
import { StereoEstimator } from '../inference/stereo/stereo-estimator.ts';
import { namedInput, requireModel } from './named-input.ts';
import { print, printJson } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { table } from './table.ts';

export interface StereoFlags {
  readonly model?: readonly string[];
  readonly every: number;
  readonly threads: number;
  readonly provider: readonly (typeof providerNames)[number][];
  readonly json?: true;
  readonly sgm?: true;
  readonly disparityStep: number;
}

/** Part of the width that semi-global matching looks through where no network says its largest disparity. */
const usualShare = 0.2;

/** `depthline eval --stereo`: networks for pairs and for single pictures, and semi-global matching. */
export async function evaluateStereoFolders(
  folders: readonly string[],
  flags: StereoFlags,
): Promise<void> {
  const baseDirectory = process.cwd();
  const { model: models = ['fastdepth-stereo', 'fastdepth'] } = flags;
  for (const model of models) await requireModel(model, ['mono', 'stereo']);
  const sets: { name: string; pairs: StereoPair[] }[] = [];
  for (const folder of folders) {
    const pairs = await namedInput(findStereoPairs(folder, baseDirectory));
    sets.push({ name: setName(folder), pairs: pairs.filter((_, i) => i % flags.every === 0) });
  }
  const closings: (() => Promise<void> | void)[] = [];
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const count = sets.reduce((sum, { pairs }) => sum + pairs.length, 0);
  const bar = progressBar(count, 'pairs', !flags.json);
  try {
    const { methods, aspect } = await openMethods(models, flags, baseDirectory, closings);
    const results: StereoSetResult[] = [];
    for (const { name, pairs } of sets) {
      const options = {
        ...{ step: flags.disparityStep, aspect, signal: stop.signal },
        onPair: () => bar?.increment(),
      };
      results.push(await evaluateStereo(name, pairs, methods, options));
    }
    bar?.stop();
    if (stop.signal.aborted) throw new DepthlineError('OPERATOR', 'interrupted before it finished');
    if (flags.json) printJson({ sets: results }, 2);
    else for (const result of results) print(`${textOf(result)}\n`);
  } finally {
    bar?.stop();
    process.off('SIGINT', interrupt);
    for (const close of closings.reverse()) await close();
  }
}

async function openMethods(
  models: readonly string[],
  { threads, provider, sgm }: StereoFlags,
  baseDirectory: string,
  closings: (() => Promise<void> | void)[],
): Promise<{ methods: StereoMethod[]; aspect: number | undefined }> {
  const methods: StereoMethod[] = [];
  let aspect: number | undefined;
  let share = usualShare;
  const options = { baseDirectory, threads, providers: provider };
  for (const model of models) {
    if ((await kindOfModel(model, baseDirectory)) !== 'stereo') {
      const estimator = await DepthEstimator.open({ model, ...options });
      closings.push(() => estimator.close());
      methods.push(monoMethod(estimator));
      continue;
    }
    const open = async (check: DisparityCheck, squeeze: boolean) => {
      const estimator = await StereoEstimator.open({ model, check, squeeze, ...options });
      closings.push(() => estimator.close());
      return estimator;
    };
    const dense = await open('none', false);
    const { name, input, output } = dense.model.manifest;
    aspect ??= input.width / input.height;
    share = (output.largest ?? usualShare * input.width) / input.width;
    methods.push(networkMethod(name, dense, await open('none', true)));
    for (const check of ['hidden', 'left-right'] as const) {
      const [cropping, squeezing] = [await open(check, false), await open(check, true)];
      methods.push(networkMethod(`${name}, check: ${check}`, cropping, squeezing));
    }
  }
  if (sgm) {
    const matching = new SemiGlobalMatching();
    closings.push(() => matching.close());
    methods.push(...classicalMethods(matching, share));
  }
  return { methods, aspect };
}

function textOf({ set, pairs, methods }: StereoSetResult): string {
  const head = ['method', 'filled', 'EPE px', 'bad-1', 'bad-2', 'bad-3', 'δ1', 'RMSE m', 'ms p50'];
  const row = (one: StereoMethodResult) => [
    one.method,
    ...[one.filled, one.endPoint, one.bad1, one.bad2, one.bad3, one.delta1, one.rmse].map(figure),
    milliseconds(one.latencyMs?.p50),
  ];
  const shown = methods.filter((one) => one.pairs > 0);
  return [
    `${set}: ${pairs} pairs; bad-1 to bad-3 count pixels without a disparity as bad`,
    table([head, ...shown.map(row)]),
    ...methods
      .filter((one) => one.pairs < pairs)
      .map((one) => `${one.method}: ${one.pairs} of ${pairs} pairs; it needs calibration`),
  ].join('\n');
}
