import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';
import { putModel } from '../support/models.ts';
import { writePair } from '../support/rgbd.ts';

async function data(): Promise<string> {
  const cwd = workplace();
  for (const [i, truth] of [1, 1.1, 2].entries()) {
    await writePair(join(cwd, 'rooms'), String(i), 100, () => truth);
  }
  for (const model of ['metres', 'log'] as const) putModel(cwd, model);
  return cwd;
}

const models = ['--model', 'metres.onnx', '--model', 'log.onnx'];

describe('depthline eval', () => {
  it('compares models on a folder, with their latency', async () => {
    const cwd = await data();
    const { code, stdout } = await depthline(['eval', 'rooms', ...models], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^rooms: 3 frames$/m);
    expect(stdout).toMatch(/^model +δ1 +δ2 +δ3 +RMSE m .* ms p50 +ms p95$/m);
    expect(stdout).toMatch(/^metres +0\.667 /m);
    expect(stdout).toMatch(/^log, median-scaled +1\.000 /m);
  });

  it('prints JSON, and writes a report', async () => {
    const cwd = await data();
    const args = ['eval', 'rooms', ...models, '--json', '--every', '2', '--report', 'report'];
    const { code, stdout } = await depthline(args, { cwd });
    expect(code).toBe(0);
    const [set] = JSON.parse(stdout).sets;
    expect(set).toMatchObject({ set: 'rooms', frames: 2 });
    expect(set.models.map(({ model }: { model: string }) => model)).toEqual(['metres', 'log']);
    expect(set.models[0].errors.delta1).toBe(0.5);
    expect(existsSync(join(cwd, 'report', 'index.html'))).toBe(true);
  });

  it('replaces its own report; refuses to replace another page, before it measures', async () => {
    const cwd = await data();
    const args = ['eval', 'rooms', '--model', 'metres.onnx', '--report', 'report'];
    expect((await depthline(args, { cwd })).code).toBe(0);
    expect((await depthline(args, { cwd })).code).toBe(0);
    writeFileSync(join(cwd, 'report', 'index.html'), 'my page');
    const { code, stdout, stderr } = await depthline(args, { cwd });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/report\/index\.html exists and is not replaced; move it away, or/);
    expect(readFileSync(join(cwd, 'report', 'index.html'), 'utf8')).toBe('my page');
  });

  it.each([
    [['nowhere'], 2, /nowhere/],
    [['rooms', '--model', 'fastdept'], 2, /"fastdept".*did you mean "fastdepth"\?/],
    [['rooms', '--min', '3', '--max', '2'], 2, /--min \(3\) must be less than --max \(2\)/],
    [['rooms', '--crop', 'papr'], 2, /none, paper/],
    [['rooms', '--every', '0'], 2, /at least 1/],
  ])('refuses %s', async (args, code, message) => {
    const finished = await depthline(['eval', ...args], { cwd: await data() });
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
    expect(finished.code).toBe(code);
  });
});
