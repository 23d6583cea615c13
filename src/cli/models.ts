import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { addModel } from '../evaluation/add-model.ts';
import { knownModels } from '../inference/known-models.ts';
import { findModel, kindOfModel, modelNames } from '../inference/model-files.ts';
import { findStereoModel } from '../inference/stereo/stereo-manifest.ts';
import { isRelative } from '../inference/tensors.ts';
import { requireFile } from './named-input.ts';
import { print, printJson } from './output.ts';
import { table } from './table.ts';

interface AddFlags {
  readonly as: string;
  readonly name?: string;
  readonly directory: string;
  readonly force?: true;
}

export function modelsCommand(): Command {
  return new Command('models')
    .description('list models, and the published ones that there are ready manifests for')
    .option('--json', 'print as JSON')
    .action(list)
    .addCommand(
      new Command('add')
        .description('add a downloaded model, with the ready manifest of its kind')
        .argument('<file>', 'path of the .onnx file')
        .addOption(
          new Option('--as <kind>', 'what the file is')
            .makeOptionMandatory()
            .choices(Object.keys(knownModels)),
        )
        .option('--name <name>', 'name of the model (default: that of the kind)')
        .option('--directory <folder>', 'folder of models', 'models')
        .option('--force', 'replace other files of these names')
        .action(add),
    );
}

interface Listed {
  readonly name: string;
  readonly size?: string;
  readonly gives?: string;
  readonly problem?: string;
}

async function list({ json }: { json?: true }): Promise<void> {
  const models = await Promise.all((await modelNames(process.cwd())).map(describe));
  const known = Object.entries(knownModels).map(([name, { summary }]) => ({ name, summary }));
  if (json) {
    printJson({ models, known }, 2);
    return;
  }
  const rows = models.map(({ name, size = '', gives = '', problem = '' }) => [
    name,
    size,
    gives || problem.split('\n', 1)[0] || '',
  ]);
  print(table([['model', 'input', 'gives'], ...rows]));
  print('\nready manifests, for "depthline models add FILE --as NAME":');
  const width = Math.max(...known.map(({ name }) => name.length));
  for (const { name, summary } of known) print(`  ${name.padEnd(width)}  ${summary}`);
}

async function describe(name: string): Promise<Listed> {
  try {
    if ((await kindOfModel(name, process.cwd())) === 'stereo') {
      const { input } = (await findStereoModel(name, process.cwd())).manifest;
      return { name, size: `${input.width}×${input.height}`, gives: 'metres, of stereo pairs' };
    }
    const { manifest } = await findModel(name, process.cwd());
    const { input, output } = manifest;
    const gives = isRelative(output) ? 'relative depth' : 'metres';
    return { name, size: `${input.width}×${input.height}`, gives };
  } catch (error) {
    return { name, problem: reason(error) };
  }
}

async function add(file: string, { as, name, directory, force }: AddFlags): Promise<void> {
  const baseDirectory = process.cwd();
  const folder = resolvePath(baseDirectory, directory);
  await requireFile(file);
  const options = { name, ...(force && { force }) };
  const added = await addModel(resolvePath(baseDirectory, file), as, folder, options);
  const manifest = relative(baseDirectory, added.manifestPath);
  const use = directory === 'models' ? added.name : manifest;
  const { output } = added.manifest;
  const lines = [
    `added ${relative(baseDirectory, added.path)} and ${manifest}; "model: ${use}" uses it`,
    ...(isRelative(output)
      ? [`its depth is relative; "depthline calibrate ${use}" makes it metres`]
      : []),
  ];
  print(lines.join('\n'));
}
