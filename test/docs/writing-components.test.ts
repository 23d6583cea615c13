import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { imbalances, start, startProcess, summaryOf, workplace } from '../support/cli.ts';

const root = packageDirectory();

/** Blocks of docs/writing-components.md that have a file name: ```js [nearest.js] */
function namedBlocks(): Map<string, string> {
  const page = readFileSync(join(root, 'docs/writing-components.md'), 'utf8');
  const blocks = page.matchAll(/^```\w+ \[([\w.-]+)\]\n(.*?)^```$/gms);
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]));
}

describe('docs/writing-components.md', () => {
  const project = workplace();
  const blocks = namedBlocks();
  beforeAll(() => {
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(root, join(project, 'node_modules/depthline'));
    for (const name of ['rxjs', 'zod']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of blocks) writeFileSync(join(project, name), text);
  });

  it('has components that pass the conformance suites', async () => {
    const tests = [...blocks.keys()].filter((name) => name.endsWith('.test.js'));
    expect(tests).toHaveLength(4);
    const { code, stdout } = await startProcess(process.execPath, ['--test', ...tests], {
      cwd: project,
    }).finished;
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^# pass [3-9]\d$|^ℹ pass [3-9]\d$/m);
    expect(stdout).toMatch(/fail 0$/m);
  });

  it('has an operator for slow work that a file can name', async () => {
    const args = ['describe', 'ask-server', '--use', './ask-server.js'];
    const { code, stdout } = await start(args, { cwd: project }).finished;
    expect(code).toBe(0);
    expect(stdout).toContain('concurrency');
  });

  it.each([...blocks.keys()].filter((name) => name.endsWith('.yaml')))(
    'has a pipeline that runs: %s',
    async (file) => {
      const run = await start(['run', file, '--stats', 'json'], { cwd: project }).finished;
      expect(run.code, run.stderr).toBe(0);
      const summary = summaryOf(run);
      expect(new Set(imbalances(summary))).toEqual(new Set([0]));
      expect(summary.branches.every(({ delivered }) => delivered === summary.captured)).toBe(true);
    },
  );

  it('wrote what its pipelines say', () => {
    const csv = readFileSync(join(project, 'frames.csv'), 'utf8');
    expect(csv.trim().split('\n')).toHaveLength(51);
    expect(existsSync(join(project, 'out'))).toBe(true);
    const distances = readdirSync(join(project, 'distances')).filter((name) =>
      name.endsWith('.json'),
    );
    expect(distances).toHaveLength(50);
  });
});
