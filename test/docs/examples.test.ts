import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { manifestSchema } from '../../src/inference/manifest.ts';
import { stereoManifestSchema } from '../../src/inference/stereo/stereo-manifest.ts';
import { cameraInfo } from '../support/calibrations.ts';
import { start, startProcess, workplace } from '../support/cli.ts';
import { putModel } from '../support/models.ts';

const root = packageDirectory();

interface Block {
  /** `docs/models.md #2` */
  readonly name: string;
  readonly text: string;
}

/** Blocks of a language in the README and the pages that people write. */
function blocks(language: string): Block[] {
  const pages = globSync(['README.md', 'docs/*.md'], { cwd: root, ignore: ['docs/reference.md'] });
  return pages.toSorted().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
    return [...found].map(([, block = ''], i) => ({ name: `${page} #${i + 1}`, text: block }));
  });
}

/** What a block leaves out because the page is about another part of a file. */
const rest = {
  source: { 'synthetic-room': { width: 224, height: 224 } },
  operators: ['estimate-depth'],
  sinks: ['discard'],
};

const eye = { width: 640, height: 480, f: 400, cx: 319.5, cy: 239.5 };

/** Of cameras of 640×480, as the examples have them. */
const calibrations = {
  'rig.yaml': `M1: { data: [400, 0, 319.5, 0, 400, 239.5, 0, 0, 1] }
D1: { data: [0, 0, 0, 0] }
M2: { data: [400, 0, 319.5, 0, 400, 239.5, 0, 0, 1] }
D2: { data: [0, 0, 0, 0] }
R: { data: [1, 0, 0, 0, 1, 0, 0, 0, 1] }
T: { data: [-0.12, 0, 0] }
`,
  'left.yaml': cameraInfo(eye),
  'right.yaml': cameraInfo({ ...eye, tx: -48 }),
};

function isModel(text: string): boolean {
  return parse(text)?.input !== undefined;
}

describe('pipeline files in the documents', () => {
  const pipelines = blocks('yaml').filter(({ text }) => parse(text) !== null && !isModel(text));

  it.each(pipelines)('$name is valid', async ({ name, text }) => {
    const project = workplace();
    const operator = readFileSync(join(root, 'examples/nearest-obstacle.js'));
    writeFileSync(join(project, 'nearest-obstacle.js'), operator);
    link(project);
    mkdirSync(join(project, 'models'));
    putModel(join(project, 'models'), 'planar', {}, 'other');
    // What an example reads, and runs.
    mkdirSync(join(project, 'out/dataset'), { recursive: true });
    for (const helper of ['depthline-onnxruntime', 'depthline-tensorrt']) {
      writeFileSync(join(project, helper), '', { mode: 0o755 });
    }
    for (const [file, calibration] of Object.entries(calibrations))
      writeFileSync(join(project, file), calibration);
    const written = parse(text) as Record<string, unknown>;
    const names = ['zeromq', 'display', 'file'].filter((sink) => text.includes(`${sink}:`));
    const sinks = 'tests' in written ? names.map((sink) => sinkOf(sink)) : rest.sinks;
    const { source, ...others } = rest;
    const alone = 'cameras' in written ? {} : { source };
    const whole = { ...alone, ...others, sinks, ...written };
    writeFileSync(join(project, 'p.yaml'), JSON.stringify(whole));
    const env = {
      CAMERA_URL: 'rtsp://127.0.0.1/',
      DEPTHLINE_TOKEN: 'a token of the test',
      TRITON_AUTHORIZATION: 'Bearer of the test',
    };
    const checked = await start(['check', 'p.yaml'], { cwd: project, env }).finished;
    expect({ name, code: checked.code, stderr: checked.stderr }).toEqual({
      name,
      code: 0,
      stderr: '',
    });
  });

  it('are found', () => expect(pipelines.length).toBeGreaterThanOrEqual(5));
});

function sinkOf(name: string): object {
  return (
    { zeromq: { zeromq: { bind: 'tcp://127.0.0.1:*' } }, file: { file: { directory: 'out' } } }[
      name
    ] ?? { [name]: {} }
  );
}

it.each(blocks('yaml').filter(({ text }) => isModel(text)))(
  'the manifest in $name is valid',
  ({ text }) => {
    const manifest = parse(text);
    const schema = manifest.kind === 'stereo' ? stereoManifestSchema : manifestSchema;
    expect(schema.safeParse(manifest).error).toBeUndefined();
  },
);

it('the TypeScript in the documents compiles', async () => {
  const project = workplace();
  link(project);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const found = blocks('ts');
  expect(found.length).toBeGreaterThanOrEqual(3);
  for (const [i, { text }] of found.entries()) writeFileSync(join(project, `block-${i}.ts`), text);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = '--strict --noEmit --target es2023 --module nodenext --types node --skipLibCheck';
  const files = found.map((_, i) => `block-${i}.ts`);
  const args = [tsc, ...options.split(' '), ...files];
  const { code, stdout } = await startProcess(process.execPath, args, { cwd: project }).finished;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});

/** The packages that an example may import. */
function link(project: string): void {
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/depthline'));
  for (const name of ['rxjs', 'zod', '@types']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
}
