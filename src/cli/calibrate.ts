import { relative } from 'node:path';
import { Command } from 'commander';
import { DepthlineError } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import type { Calibration } from '../depth/calibration.ts';
import {
  calibrateModel,
  defaultManifest,
  formOf,
  writeCalibration,
} from '../evaluation/calibrate-model.ts';
import { parsePoint, readPoints } from '../evaluation/known-points.ts';
import { findRgbdPairs, type RgbdPair } from '../evaluation/rgbd-folder.ts';
import type { Manifest } from '../inference/manifest.ts';
import { collect, positive, positiveWhole } from './arguments.ts';
import { namedInput, requireFile, requireModel } from './named-input.ts';
import { print, printError, printJson } from './output.ts';
import { endingSignals } from './signals.ts';

interface Flags {
  readonly point?: readonly string[];
  readonly points?: readonly string[];
  readonly rgbd?: readonly string[];
  readonly depthUnit: number;
  readonly every: number;
  readonly output?: string;
  readonly force?: true;
  readonly json?: true;
}

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('find the scale and shift that give a model metres, from known distances')
    .argument('<model>', 'name of a model, or path of an .onnx or .yaml file')
    .option(
      '--point <picture:x,y=distance>',
      'a place of known distance, such as kitchen.jpg:320,240=2.35m; repeat for more, at least 3',
      collect,
    )
    .option('--points <file>', 'a CSV or YAML list of picture, x, y and metres', collect)
    .option(
      '--rgbd <folder>',
      'a folder with rgb/ and depth/ (16-bit PNG); repeat for more',
      collect,
    )
    .option(
      '--depth-unit <metres>',
      'metres per unit of 16-bit depth (TUM: 0.0002)',
      positive,
      0.001,
    )
    .option('--every <n>', 'use every n-th frame of a folder', positiveWhole, 1)
    .option(
      '--output <file.yaml>',
      'manifest to write (default: NAME-calibrated.yaml beside that of the model)',
    )
    .option('--force', 'replace a file that this command did not write')
    .option('--json', 'print the result as JSON')
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const baseDirectory = process.cwd();
  const { point = [], points = [], rgbd = [], force = false, output } = flags;
  if (point.length + points.length + rgbd.length === 0) {
    const message = 'needs known distances: --point, --points or --rgbd';
    throw new DepthlineError('CONFIG', message);
  }
  if (output !== undefined && !/\.ya?ml$/.test(output))
    throw new DepthlineError('CONFIG', '--output must end in .yaml');
  await requireModel(model);
  const known = point.map(parsePoint);
  for (const list of points) known.push(...(await readPoints(resolvePath(baseDirectory, list))));
  for (const picture of new Set(known.map((one) => one.picture))) await requireFile(picture);
  const pairs: RgbdPair[] = [];
  for (const folder of rgbd) {
    const warn = (message: string) => printError(`warning: ${message}`);
    const found = await namedInput(findRgbdPairs(folder, baseDirectory, [], warn));
    pairs.push(...found.filter((_, i) => i % flags.every === 0));
  }
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(new DepthlineError('OPERATOR', 'interrupted before it finished'));
  for (const signal of endingSignals) process.once(signal, interrupt);
  try {
    const {
      calibration,
      model: found,
      warnings,
    } = await calibrateModel(model, {
      points: known,
      pairs,
      rgbd: { depthUnit: flags.depthUnit },
      baseDirectory,
      signal: stop.signal,
    });
    const path = output === undefined ? defaultManifest(found) : resolvePath(baseDirectory, output);
    await writeCalibration(path, found, calibration, force);
    for (const warning of warnings) printError(`warning: ${warning}`);
    const { errors: _, ...result } = calibration;
    if (flags.json) printJson({ manifest: path, ...result, warnings }, 2);
    else print(report(calibration, found.manifest, relative(baseDirectory, path)));
  } finally {
    for (const signal of endingSignals) process.off(signal, interrupt);
  }
}

function report(
  { scale, shift, medianAbsRel, pairs, inliers }: Calibration,
  manifest: Manifest,
  path: string,
): string {
  const offset = `${shift < 0 ? '−' : '+'} ${Math.abs(shift).toPrecision(5)}`;
  const line = `${scale.toPrecision(5)}·x${shift === 0 ? '' : ` ${offset}`}`;
  return [
    `${manifest.name}: metres = ${formOf(manifest) === 'inverse' ? `1 / (${line})` : line}`,
    `median relative error ${(100 * medianAbsRel).toFixed(1)} % over ${pairs} known distances, ${inliers} of them within 15 %`,
    `written to ${path}; "model: ${path}" uses it`,
  ].join('\n');
}
