import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

/** What `test/fixtures/models/make_models.py` writes; every picture is 8 wide and 6 high, of pairs 32 by 24. */
export type FixtureModel =
  | 'metres'
  | 'inverse'
  | 'log'
  | 'invalid'
  | 'planar'
  | 'open-size'
  | 'fails'
  | 'colour'
  | 'slow'
  | 'together'
  | 'one-of-all'
  | 'fails-together'
  | 'two-inputs'
  | 'mean'
  | 'half'
  | 'half-in'
  | 'half-out'
  | 'pairs'
  | 'pairs-half';

export function fixtureModel(model: FixtureModel): string {
  return fileURLToPath(new URL(`../fixtures/models/${model}.onnx`, import.meta.url));
}

const bytes = { name: 'picture', layout: 'NHWC', dtype: 'uint8', width: 8, height: 6 };
const floats = { name: 'picture', layout: 'NCHW', dtype: 'float32', width: 8, height: 6 };

const halves = { ...floats, dtype: 'float16' };

const pairs = {
  kind: 'stereo',
  input: { width: 32, height: 24 },
  output: { name: 'disparity', largest: 8 },
};

const manifests: Record<FixtureModel, { kind?: string; input: object; output: object }> = {
  metres: { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  inverse: { input: bytes, output: { name: 'x', meaning: 'inverse-relative' } },
  log: { input: bytes, output: { name: 'x', meaning: 'log' } },
  invalid: { input: bytes, output: { name: 'x', meaning: 'metres' } },
  planar: { input: floats, output: { name: 'depth', meaning: 'metres' } },
  'open-size': { input: floats, output: { name: 'depth', meaning: 'metres' } },
  fails: { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  colour: { input: floats, output: { name: 'other', meaning: 'metres' } },
  slow: { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  together: { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  'one-of-all': { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  'fails-together': { input: bytes, output: { name: 'depth', meaning: 'metres' } },
  'two-inputs': { input: floats, output: { name: 'depth', meaning: 'metres' } },
  mean: { input: floats, output: { name: 'depth', meaning: 'metres' } },
  half: { input: halves, output: { name: 'depth', meaning: 'metres' } },
  'half-in': { input: halves, output: { name: 'depth', meaning: 'metres' } },
  'half-out': { input: floats, output: { name: 'depth', meaning: 'metres' } },
  pairs,
  'pairs-half': pairs,
};

export interface ManifestChanges {
  readonly input?: object;
  readonly output?: object;
  readonly [key: string]: unknown;
}

/**
 * Puts a model and its manifest into `directory`, as `name`; gives the path of the .onnx file.
 * `changes` replace single keys of the fitting manifest.
 */
export function putModel(
  directory: string,
  model: FixtureModel,
  changes: ManifestChanges = {},
  name: string = model,
): string {
  const path = join(directory, `${name}.onnx`);
  copyFileSync(fixtureModel(model), path);
  const { input, output, ...rest } = manifests[model];
  const manifest = {
    name,
    file: `${name}.onnx`,
    ...rest,
    ...changes,
    input: { ...input, ...changes.input },
    output: { ...output, ...changes.output },
  };
  writeFileSync(join(directory, `${name}.yaml`), stringify(manifest));
  return path;
}
