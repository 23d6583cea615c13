import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { startProcess, summaryOf, workplace } from '../support/cli.ts';

const root = packageDirectory();
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** An empty project with the packed Depthline in it, and the files that were in the tarball. */
interface Installed {
  readonly project: string;
  readonly files: readonly string[];
}

function install(): Installed {
  const project = workplace();
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 300_000,
    });
  // It is built already, and a build while other tests run would pull the files from under them.
  const [packed] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', project),
  );
  // npm installs the tarball, but finds its dependencies in the checkout, so no network is needed.
  // Only what the package declares is there, so a forgotten one shows.
  const here = [...Object.keys(dependencies), '@types/node', 'typescript'].map((name) => [
    name,
    `file:${join(root, 'node_modules', name)}`,
  ]);
  const manifest = {
    name: 'robot',
    type: 'module',
    dependencies: { ...Object.fromEntries(here), depthline: `file:./${packed.filename}` },
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  npm(project, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
  const files = (packed.files as { path: string }[]).map(({ path }) => path);
  return { project, files };
}

function compile(project: string, ...files: string[]) {
  const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = '--strict --target es2023 --module nodenext --types node --skipLibCheck';
  const args = [tsc, ...options.split(' '), ...files];
  return startProcess(process.execPath, args, { cwd: project }).finished;
}

const program = `
import { defineOperator, definePipeline, discard, imbalance, type Frame, runPipeline, testPattern } from 'depthline';
import { map } from 'rxjs';
import { z } from 'zod';

const brighter = defineOperator({
  name: 'brighter',
  summary: 'Brighter.',
  accepts: ['image'],
  emits: 'same',
  options: z.strictObject({ by: z.number().default(2) }),
  examples: [{}],
  create: async ({ by }: { by: number }) =>
    map((frame: Frame): Frame => (frame.kind === 'image' && by > 0 ? { ...frame } : frame)),
});
const pipeline = definePipeline({
  source: testPattern({ width: 64, height: 48, frames: 5 }),
  operators: [brighter({ by: 3 })],
  sinks: [discard()],
});
const { captured, branches } = await runPipeline(pipeline);
const [branch] = branches;
console.log(captured, branch && imbalance(branch));
`;

/** A component written by a user, and its test with nothing but what Node brings along. */
const operator = `
import { defineOperator, type Frame } from 'depthline';
import { map } from 'rxjs';
import { z } from 'zod';

export const invert = defineOperator({
  name: 'invert',
  summary: 'Inverts the colours of a picture.',
  accepts: ['image'],
  emits: ['image'],
  options: z.strictObject({ from: z.int().default(255).describe('what 0 becomes, 0 to 255') }),
  examples: [{}],
  create: async ({ from }) =>
    map((frame: Frame): Frame =>
      frame.kind === 'image' ? { ...frame, data: frame.data.map((value) => from - value) } : frame,
    ),
});
`;
const operatorTest = `
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conformsAsOperator, imageFrame, runOperator } from 'depthline/testing';
import { invert } from './invert.js';

conformsAsOperator(invert, {}, { describe, test });

test('inverts', async () => {
  const [out] = await runOperator(invert, {}, [imageFrame(1, 1, 0, () => [255, 0, 1])]);
  assert.deepEqual(out?.kind === 'image' && [...out.data], [0, 255, 254]);
});
`;
const sourceAndSink = `
import { defineSink, defineSource, type Frame } from 'depthline';
import { imageFrame } from 'depthline/testing';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Observable } from 'rxjs';
import { z } from 'zod';

export const counter = defineSource({
  name: 'counter',
  summary: 'Counts.',
  emits: ['image'],
  options: z.strictObject({ frames: z.int().default(3).describe('number of frames') }),
  examples: [{ frames: 3 }],
  create: async ({ frames }, { gate, name, signal }) =>
    new Observable<Frame>((subscriber) => {
      const stop = new AbortController();
      const both = AbortSignal.any([stop.signal, signal]);
      const emit = async () => {
        for (let seq = 0; seq < frames; seq++) {
          await gate.opened(both);
          if (both.aborted) break;
          subscriber.next({ ...imageFrame(4, 3, seq), source: name });
        }
        subscriber.complete();
      };
      emit().catch((error) => subscriber.error(error));
      return () => stop.abort();
    }),
});

export const log = defineSink({
  name: 'log',
  summary: 'Writes a line for each frame.',
  accepts: ['image'],
  options: z.strictObject({ path: z.string().describe('file to append to') }),
  examples: [{ path: 'log.txt' }],
  create: async ({ path }, { baseDirectory }) => ({
    write: ({ seq }) => appendFile(join(baseDirectory, path), seq + '\\n'),
  }),
});
`;
const sourceAndSinkTest = `
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { conformsAsSink, conformsAsSource, type TestContext } from 'depthline/testing';
import { counter, log } from './parts.js';

conformsAsSource(counter, { frames: 3 }, { describe, test });
const delivered = async ({ baseDirectory }: TestContext) =>
  (await readFile(join(baseDirectory, 'log.txt'), 'utf8')).trimEnd().split('\\n').length;
conformsAsSink(log, { delivered }, { describe, test });
`;
/** The operator with the most frequent faults. */
const carelessOperator = operator
  .replace(
    '{ ...frame, data: frame.data.map((value) => from - value) }',
    '(frame.data.fill(from), frame)',
  )
  .replace('z.strictObject', 'z.object')
  .replace(".describe('what 0 becomes, 0 to 255')", '');

describe('the packed package', () => {
  let installed: Installed;
  beforeAll(() => {
    installed = install();
  });

  it('holds what a user needs, and nothing else', () => {
    const { files } = installed;
    for (const needed of [
      'bin/depthline',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/testing.js',
      'dist/testing.d.ts',
      'models/fastdepth.onnx',
      'models/fastdepth.yaml',
      'pipelines/demo.yaml',
      'pipeline.schema.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs/depth-topic.md',
      'docs/reference.md',
      'examples/nearest-obstacle.yaml',
      'examples/depth_subscriber.py',
    ]) {
      expect(files).toContain(needed);
    }
    expect(
      files.filter((path) =>
        /^(src|test|training|bench|\.)|\/\.|__pycache__|node_modules/.test(path),
      ),
    ).toEqual([]);
  });

  it('has every file that its README points to', () => {
    const { project } = installed;
    const folder = join(project, 'node_modules', 'depthline');
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      ([, path]) => path as string,
    );
    expect(links).toContain('docs/getting-started.md');
    expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
  });

  it('gives the command', async () => {
    const { project } = installed;
    writeFileSync(
      join(project, 'p.yaml'),
      'source:\n  test-pattern: { width: 224, height: 224, frames: 4 }\noperators: [estimate-depth, smooth]\nsinks: [discard]\n',
    );
    const command = join(project, 'node_modules', '.bin', 'depthline');
    const listed = await startProcess(command, ['list'], { cwd: project }).finished;
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(/fastdepth/);
    const ran = await startProcess(command, ['run', 'p.yaml', '--stats', 'json'], { cwd: project })
      .finished;
    expect(ran.code).toBe(0);
    expect(summaryOf(ran).branches[0]).toMatchObject({ delivered: 4 });
    const example = join('node_modules', 'depthline', 'examples', 'nearest-obstacle.yaml');
    const checked = await startProcess(command, ['check', example], { cwd: project }).finished;
    expect(checked).toMatchObject({ code: 0, stderr: '' });
  });

  it('gives a typed import', async () => {
    const { project } = installed;
    writeFileSync(join(project, 'robot.ts'), program);
    expect(await compile(project, 'robot.ts')).toMatchObject({ code: 0, stdout: '' });
    const ran = await startProcess(process.execPath, ['robot.js'], { cwd: project }).finished;
    expect(ran).toMatchObject({ code: 0, stdout: '5 0\n', stderr: '' });
  });

  it('has a conformance suite that a new operator in an empty project passes', async () => {
    const { project } = installed;
    writeFileSync(join(project, 'invert.ts'), operator);
    writeFileSync(join(project, 'invert.test.ts'), operatorTest);
    const compiled = await compile(project, 'invert.ts', 'invert.test.ts');
    expect(compiled).toMatchObject({ code: 0, stdout: '' });
    const ran = await startProcess(process.execPath, ['--test', 'invert.test.js'], { cwd: project })
      .finished;
    expect(ran.stdout).toMatch(/# ?fail 0|ℹ fail 0/);
    expect(ran.code).toBe(0);
  });

  it('and suites that a new source and a new sink pass', async () => {
    const { project } = installed;
    writeFileSync(join(project, 'parts.ts'), sourceAndSink);
    writeFileSync(join(project, 'parts.test.ts'), sourceAndSinkTest);
    const compiled = await compile(project, 'parts.ts', 'parts.test.ts');
    expect(compiled).toMatchObject({ code: 0, stdout: '' });
    const ran = await startProcess(process.execPath, ['--test', 'parts.test.js'], { cwd: project })
      .finished;
    expect(ran.stdout).toMatch(/# ?fail 0|ℹ fail 0/);
    expect(ran.code).toBe(0);
  });

  it('and suites that a careless operator fails', async () => {
    const { project } = installed;
    writeFileSync(join(project, 'invert.ts'), carelessOperator);
    writeFileSync(join(project, 'invert.test.ts'), operatorTest);
    expect(await compile(project, 'invert.ts', 'invert.test.ts')).toMatchObject({ code: 0 });
    const ran = await startProcess(process.execPath, ['--test', 'invert.test.js'], { cwd: project })
      .finished;
    expect(ran.code).toBe(1);
    for (const failed of [
      'describes each option',
      'refuses unknown options',
      'leaves its input as it was',
    ]) {
      expect(ran.stdout).toMatch(new RegExp(`(✖|not ok \\d+ -) ${failed}`));
    }
  });

  it('refuses a wrong type', async () => {
    const { project } = installed;
    writeFileSync(
      join(project, 'wrong.ts'),
      "import { testPattern } from 'depthline';\ntestPattern({ width: 'wide' });\n",
    );
    const { code, stdout } = await compile(project, 'wrong.ts');
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/wrong\.ts\(2,15\).*'string' is not assignable to type 'number/);
  });
});
