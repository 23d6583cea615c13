import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { manifestSchema } from '../../src/inference/manifest.ts';
import { depthline, workplace } from '../support/cli.ts';
import { type FixtureModel, fixtureModel, putModel } from '../support/models.ts';

const read = (cwd: string, name: string) => readFileSync(join(cwd, name), 'utf8');
const add = (cwd: string, model: FixtureModel, as: string, ...more: string[]) =>
  depthline(['models', 'add', fixtureModel(model), '--as', as, ...more], { cwd });

describe('models add', () => {
  it.each([
    ['depth-anything-v2-small', 518, 'inverse-relative', 'relative depth'],
    ['midas-v2.1-small', 256, 'inverse-relative', 'relative depth'],
    ['fastdepth-published', 224, 'metres', 'metres'],
  ])('a file of any size as %s', async (as, side, meaning, gives) => {
    const cwd = workplace();
    const { code, stdout } = await add(cwd, 'open-size', as);
    expect(stdout).toContain(
      `added models/${as}.onnx and models/${as}.yaml; "model: ${as}" uses it`,
    );
    expect(code).toBe(0);
    const manifest = manifestSchema.parse(parse(read(cwd, `models/${as}.yaml`)));
    expect(manifest).toMatchObject({
      input: { name: 'picture', layout: 'NCHW', dtype: 'float32', width: side, height: side },
      output: { name: 'depth', meaning },
    });
    writeFileSync(
      join(cwd, 'p.yaml'),
      `source: { test-pattern: {} }\noperators:\n  - estimate-depth: { model: ${as} }\nsinks: [discard]\n`,
    );
    expect(await depthline(['check', 'p.yaml'], { cwd })).toMatchObject({ code: 0 });
    const listed = await depthline(['models'], { cwd });
    expect(listed.stdout).toMatch(new RegExp(`^${as} +${side}×${side} +${gives}$`, 'm'));
    // A second time it is the same.
    expect(await add(cwd, 'open-size', as)).toMatchObject({ code: 0 });
    expect(readdirSync(join(cwd, 'models')).toSorted()).toEqual([`${as}.onnx`, `${as}.yaml`]);
  });

  it.each<[string, FixtureModel, string, number, RegExp]>([
    ['of another size', 'planar', 'midas-v2.1-small', 1, /is not midas-v2\.1-small: .*256 wide/],
    ['of bytes', 'metres', 'midas-v2.1-small', 1, /its input should be float32 or float16/],
    ['without depth', 'colour', 'fastdepth-published', 1, /none of its outputs is one picture/],
    ['with two inputs', 'two-inputs', 'midas-v2.1-small', 1, /only models with one input/],
    ['of an unknown kind', 'planar', 'midas', 2, /midas.*Allowed choices are/s],
  ])('refuses a file %s', async (_, model, as, code, message) => {
    const cwd = workplace();
    const finished = await add(cwd, model, as);
    expect(finished.stderr).toMatch(message);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each(['nothing.onnx', 'no/folder.onnx'])('says that there is no %s', async (file) => {
    const { code, stderr } = await depthline(
      ['models', 'add', file, '--as', 'fastdepth-published'],
      { cwd: workplace() },
    );
    expect(stderr).toMatch(/^there is no file .*\.onnx; check the path$/m);
    expect(code).toBe(2);
  });

  it('replaces no other file, unless forced', async () => {
    const cwd = workplace();
    mkdirSync(join(cwd, 'models'));
    for (const ending of ['onnx', 'yaml']) {
      writeFileSync(join(cwd, `models/mine.${ending}`), 'mine');
      const refused = await add(cwd, 'open-size', 'midas-v2.1-small', '--name', 'mine');
      expect(refused.stderr).toMatch(/mine\.(onnx|yaml) exists and is not replaced/);
      expect(refused.code).toBe(1);
      expect(read(cwd, `models/mine.${ending}`)).toBe('mine');
    }
    const forced = await add(cwd, 'open-size', 'midas-v2.1-small', '--name', 'mine', '--force');
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    expect(parse(read(cwd, 'models/mine.yaml'))).toMatchObject({ name: 'mine', file: 'mine.onnx' });
  });
});

it('models lists what there is, with what is wrong', async () => {
  const cwd = workplace();
  mkdirSync(join(cwd, 'models'));
  putModel(join(cwd, 'models'), 'inverse');
  writeFileSync(join(cwd, 'models/broken.yaml'), 'name: 1\n');
  const { code, stdout } = await depthline(['models', '--json'], { cwd });
  const { models, known } = JSON.parse(stdout) as { models: object[]; known: { name: string }[] };
  expect(models).toContainEqual({ name: 'fastdepth', size: '224×224', gives: 'metres' });
  expect(models).toContainEqual({ name: 'inverse', size: '8×6', gives: 'relative depth' });
  const problem = expect.stringMatching(/broken\.yaml: name: must be a string/) as string;
  expect(models).toContainEqual({ name: 'broken', problem });
  expect(known.map(({ name }) => name)).toContain('depth-anything-v2-small');
  expect(code).toBe(0);
});
