import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
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
  const project = workplace({ 'package.json': '{ "name": "robot", "type": "module" }' });
  const npm = (...args: string[]) =>
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  // It is built already, and a build while other tests run would pull the files from under them.
  const [packed] = JSON.parse(
    npm('pack', '--json', '--ignore-scripts', '--pack-destination', project),
  );
  execFileSync('tar', ['-xzf', packed.filename], { cwd: project });
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  renameSync(join(project, 'package'), join(modules, 'depthline'));
  symlinkSync('../depthline/bin/depthline', join(modules, '.bin', 'depthline'));
  // What npm would fetch for it. Only what it declares is there, so a forgotten one shows.
  const own = [...Object.keys(dependencies), '@types/node', 'typescript'];
  for (const name of own) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  const files = (packed.files as { path: string }[]).map(({ path }) => path);
  return { project, files };
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
      'models/fastdepth.onnx',
      'models/fastdepth.yaml',
      'pipelines/demo.yaml',
      'pipeline.schema.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
    ]) {
      expect(files).toContain(needed);
    }
    expect(files.filter((path) => /^(src|test|training|bench|\.)/.test(path))).toEqual([]);
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
  });

  it('gives a typed import', async () => {
    const { project } = installed;
    writeFileSync(join(project, 'robot.ts'), program);
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = '--strict --target es2023 --module nodenext --types node --skipLibCheck';
    const compiled = await startProcess(
      process.execPath,
      [tsc, ...options.split(' '), 'robot.ts'],
      {
        cwd: project,
      },
    ).finished;
    expect(compiled.stdout).toBe('');
    expect(compiled.code).toBe(0);
    const ran = await startProcess(process.execPath, ['robot.js'], { cwd: project }).finished;
    expect(ran).toMatchObject({ code: 0, stdout: '5 0\n', stderr: '' });
  });

  it('refuses a wrong type', async () => {
    const { project } = installed;
    writeFileSync(
      join(project, 'wrong.ts'),
      "import { testPattern } from 'depthline';\ntestPattern({ width: 'wide' });\n",
    );
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    const options =
      '--strict --noEmit --target es2023 --module nodenext --types node --skipLibCheck';
    const { code, stdout } = await startProcess(
      process.execPath,
      [tsc, ...options.split(' '), 'wrong.ts'],
      { cwd: project },
    ).finished;
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/wrong\.ts\(2,15\).*'string' is not assignable to type 'number/);
  });
});
