import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { modelProblems } from '../../src/inference/model-check.ts';
import { findModel, modelNames, verifyModel } from '../../src/inference/model-files.ts';
import { fixtureModel, putModel } from '../support/models.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'models-'));
  mkdirSync(join(directory, 'models'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const fails = async (nameOrPath: string, ...messages: (RegExp | string)[]) => {
  const error = await findModel(nameOrPath, directory)
    .then(verifyModel)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'DepthlineError', code: 'MODEL' });
  for (const message of messages) expect((error as Error).message).toMatch(message);
};

describe('a model is found', () => {
  it('by its name', async () => {
    const path = putModel(join(directory, 'models'), 'metres');
    const model = await findModel('metres', directory);
    expect(model).toMatchObject({ path, bytes: readFileSync(path).length });
    expect(model.manifest.output.meaning).toBe('metres');
    expect(await modelNames(directory)).toContain('metres');
  });

  it('by the path of its file or its manifest', async () => {
    const path = putModel(directory, 'metres', {}, 'own');
    expect((await findModel('own.onnx', directory)).path).toBe(path);
    expect((await findModel('./own.yaml', directory)).path).toBe(path);
    expect((await findModel(path, '/')).manifestPath).toBe(join(directory, 'own.yaml'));
  });

  it('with the hash of its file', async () => {
    const sha256 = createHash('sha256')
      .update(readFileSync(fixtureModel('metres')))
      .digest('hex');
    putModel(directory, 'metres', { sha256 });
    expect(await verifyModel(await findModel('metres.onnx', directory))).toMatchObject({ sha256 });
  });
});

describe('a model that cannot be used says why', () => {
  it('no such name', async () => {
    putModel(join(directory, 'models'), 'metres');
    await fails('meters', /there is no model "meters" in .*models or in the package.*"metres"\?/);
    await fails('yolo', /there is no model "yolo".*valid: .*metres/);
  });

  it('no such file', async () => {
    putModel(directory, 'metres');
    await fails('metre.onnx', /there is no file .*metre.onnx; did you mean "metres.onnx"\?/);
    await fails('nowhere/metre.onnx', /there is no file .*nowhere\/metre.onnx$/);
  });

  it('no manifest: shows the model and the lines to write', async () => {
    copyFileSync(fixtureModel('open-size'), join(directory, 'bare.onnx'));
    await fails(
      'bare.onnx',
      /bare.onnx has no manifest/,
      'input "picture": float32 [n, 3, height, width]',
      'output "depth": float32 [n, 1, h, w]',
      /Write .*bare.yaml/,
      / {2}layout: NCHW\n {2}dtype: float32\n {2}width: 224 {2}# the model takes any size/,
      / {2}meaning: {2}# metres, log, inverse-relative or disparity/,
    );
  });

  it('the lines to write are a manifest that fits, once its meaning is filled in', async () => {
    const path = join(directory, 'models', 'bytes.onnx');
    copyFileSync(fixtureModel('metres'), path);
    const error = await findModel('bytes', directory).catch((thrown: Error) => thrown);
    const lines = (error as Error).message.split('\n\n')[1] as string;
    const manifestPath = join(directory, 'models', 'bytes.yaml');
    writeFileSync(manifestPath, lines);
    await fails('bytes', /output\.meaning: .*valid: metres, inverse-relative, log, disparity/);
    writeFileSync(manifestPath, lines.replace('meaning:', 'meaning: metres'));
    const { manifest } = await findModel('bytes', directory);
    expect(manifest.input).toMatchObject({ layout: 'NHWC', dtype: 'uint8', width: 8, height: 6 });
    expect(manifest.output).toEqual({ name: 'depth', meaning: 'metres' });
  });

  it('neither a manifest nor a model', async () => {
    writeFileSync(join(directory, 'text.onnx'), 'not a model');
    await fails(
      'text.onnx',
      /text.onnx cannot be loaded: .*; check that it is a complete ONNX model$/,
    );
  });

  it('an empty file and a truncated one, with and without a manifest', async () => {
    for (const [content, why] of [
      ['', 'ModelProto does not have a graph'],
      [readFileSync(fixtureModel('metres')).subarray(0, 200), 'Protobuf parsing failed'],
    ] as const) {
      const path = join(directory, 'cut.onnx');
      writeFileSync(path, content);
      const message = `${path} cannot be loaded: ${why}; check that it is a complete ONNX model`;
      await expect(findModel(path, '/')).rejects.toThrow(message);
      const described = putModel(directory, 'metres');
      writeFileSync(described, content);
      await expect(DepthEstimator.open({ model: described })).rejects.toThrow(
        `${described} cannot be loaded: ${why}; check that it is a complete ONNX model`,
      );
    }
  });

  it('a manifest with problems: all of them, with their places', async () => {
    putModel(directory, 'metres', { input: { layout: 'HWC', colour: 'RGB' } });
    await fails(
      'metres.onnx',
      /metres.yaml: input.layout: "HWC" is not valid/,
      /metres.yaml: input: unknown option "colour"/,
    );
  });

  it('a mistake in what only informs: told by a check, no reason not to run', async () => {
    putModel(directory, 'metres');
    const path = join(directory, 'metres.yaml');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\ntraining:\n  data: [rooms\n`);
    expect((await findModel('metres.onnx', directory)).manifest.name).toBe('metres');
    const problems = (thorough: boolean) => modelProblems('metres.onnx', directory, { thorough });
    expect(await problems(false)).toEqual([]);
    expect(await problems(true)).toEqual([
      { path: ['model'], message: expect.stringMatching(/metres.yaml cannot be read: .* line \d/) },
    ]);
  });

  it('a manifest that is no YAML', async () => {
    putModel(directory, 'metres');
    writeFileSync(join(directory, 'metres.yaml'), 'name: [');
    await fails('metres.onnx', /the manifest .*metres.yaml cannot be read: /);
  });

  it('a manifest whose file is missing', async () => {
    putModel(directory, 'metres', { file: 'gone.onnx' });
    await fails(
      'metres.yaml',
      /names the file gone.onnx, which cannot be read: no such file or directory/,
    );
  });

  it('a file that is not the one described', async () => {
    putModel(directory, 'metres', { sha256: '0'.repeat(64) });
    await fails('metres.onnx', /its sha256 is [0-9a-f]{64}, the manifest says 0{64}; restore/);
  });

  it.each([['two-inputs', /only models with one input, the picture, are supported/]] as const)(
    'a model that no manifest makes usable: %s',
    async (model, message) => {
      copyFileSync(fixtureModel(model), join(directory, 'bare.onnx'));
      await fails('bare.onnx', message, /^(?!.*manifest)/s);
    },
  );

  it('what is not a regular file, with a manifest and without one', async () => {
    const folder = join(directory, 'folder.onnx');
    mkdirSync(folder);
    execFileSync('mkfifo', [join(directory, 'fifo.onnx')]);
    symlinkSync('/dev/zero', join(directory, 'zero.onnx'));
    for (const [name, kind] of [
      ['folder', 'a directory'],
      ['fifo', 'a FIFO'],
      ['zero', 'a device'],
    ]) {
      const file = `${name}.onnx`;
      await fails(file, `${file} is ${kind}, not a regular file; give the path of a file`);
      putModel(directory, 'metres', { file }, 'described');
      await fails('described.yaml', `names the file ${file}, which cannot be read: ${directory}`);
      await fails('described.yaml', `${file} is ${kind}, not a regular file`);
    }
  });

  it('a file that nobody may read', async () => {
    const path = putModel(directory, 'metres');
    chmodSync(path, 0);
    // Root may read it all the same.
    if (process.getuid?.() !== 0) await fails('metres.onnx', /metres.onnx cannot be read: EACCES/);
    symlinkSync('nothing.onnx', join(directory, 'dangling.onnx'));
    await fails('dangling.onnx', /there is no file .*dangling.onnx(?!.*did you mean "dangling)/);
  });
});
