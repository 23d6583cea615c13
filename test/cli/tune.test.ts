import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { depthline, leftBehind, start, summaryOf, workplace } from '../support/cli.ts';
import { fakeHelper, referenceHelper } from '../support/engines.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';
import { writePair } from '../support/rgbd.ts';

const pipeline = (options = '') => `
source:
  test-pattern: { width: 8, height: 6, frames: 5 }
operators:
  - estimate-depth: { model: metres.onnx${options} }
sinks: [discard]
`;

async function folder() {
  const cwd = workplace({ 'p.yaml': pipeline(), 'off.yaml': pipeline(', tuned: off') });
  putModel(cwd, 'metres', { macs: 1000 });
  putModel(cwd, 'metres', {}, 'same');
  putModel(cwd, 'log');
  mkdirSync(join(cwd, 'pictures'));
  for (const i of [0, 1]) await writePair(join(cwd, 'pictures'), String(i), 100, () => 1);
  return { cwd, env: { DEPTHLINE_CACHE: join(cwd, 'cache') } };
}

const quick = ['--rounds', '2', '--seconds', '0.01'];

describe('depthline tune', () => {
  it('finds settings that run, plan and bench then use', async () => {
    const place = await folder();
    const tuned = await depthline(['tune', 'metres.onnx', ...quick], place);
    expect(tuned.stderr).toBe('');
    expect(tuned.code).toBe(0);
    expect(tuned.stdout).toMatch(/^candidate +fps +× default +rounds$/m);
    expect(tuned.stdout).toMatch(/^metres\.onnx, 1 × 1 threads, all, arena +[\d.]+ +1\.00 +all$/m);
    expect(tuned.stdout).toMatch(/^best: .*, [\d.]+ × the default settings$/m);
    expect(tuned.stdout).toMatch(/ GMAC\/s, \d+ % of a large matrix product/);

    const run = await depthline(['run', 'p.yaml', '--stats', 'text'], place);
    expect(run.stderr).toMatch(/^estimate-depth: tuned for this machine: \d+ workers?, /m);
    const off = await depthline(['run', 'off.yaml'], place);
    expect(off.stderr).not.toMatch(/tuned/);
    const plan = await depthline(['plan', 'p.yaml'], place);
    expect(plan.stdout).toMatch(/tuned: \d+ worker/);
    const json = await depthline(['run', 'p.yaml', '--stats', 'json'], place);
    expect(summaryOf(json).branches[0]?.delivered).toBe(5);
  });

  it('--helper measures helpers too, and rejects one that gives another depth', async () => {
    const place = await folder();
    const fake = fakeHelper('too-near').command.join(' ');
    const helpers = ['--helper', referenceHelper(), '--helper', fake, '--frames', 'pictures'];
    const tuned = await depthline(['tune', 'metres.onnx', ...quick, ...helpers], place);
    expect(tuned).toMatchObject({ code: 0, stderr: '' });
    expect(tuned.stdout).toMatch(/depthline-onnxruntime, 1 × helper +[\d.]+ /);
    expect(tuned.stdout).toMatch(/depthline-onnxruntime: δ1 1\.0000 against the model, accepted/);
    expect(tuned.stdout).toMatch(/fake-helper\.py too-near: δ1 0\.\d+ against the model, rejected/);
    expect(tuned.stdout).not.toMatch(/too-near, \d × helper/);
  });

  it('finds that calls of several pictures are faster, and several cameras then use them', async () => {
    const camera = '{ test-pattern: { width: 8, height: 6, frames: 3 } }';
    const place = await folder();
    writeFileSync(
      join(place.cwd, 'cameras.yaml'),
      `cameras: { a: ${camera}, b: ${camera} }\n${pipeline()
        .replace(/source:\n.*\n/, '')
        .replace('metres', 'together')}`,
    );
    putModel(place.cwd, 'together');
    const tuned = await depthline(['tune', 'together.onnx', ...quick], place);
    expect(tuned).toMatchObject({ code: 0, stderr: '' });
    expect(tuned.stdout).toMatch(/^several cameras: up to [248] pictures in a call, [\d.]+ fps$/m);
    const run = await depthline(['run', 'cameras.yaml'], place);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toMatch(/tuned for this machine: .*up to 2 pictures in a call/);
  });

  it('--forget removes what was found, and nothing else', async () => {
    const place = await folder();
    const forget = () => depthline(['tune', 'metres.onnx', '--forget'], place);
    expect(await forget()).toMatchObject({
      code: 0,
      stdout: 'nothing is stored for metres on this machine\n',
    });
    await depthline(['tune', 'metres.onnx', ...quick], place);
    const cache = join(place.cwd, 'cache', 'tuning');
    writeFileSync(join(cache, 'other.json'), '{}');
    const stored = () => readdirSync(cache).filter((name) => name.endsWith('json'));
    expect(stored()).toHaveLength(2);
    const { code, stdout } = await forget();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^removed .*\.json; "depthline run" uses the default settings of metres again\n$/,
    );
    expect(stored()).toEqual(['other.json']);
    const run = await depthline(['run', 'p.yaml'], place);
    expect(run.stderr).not.toMatch(/tuned/);
  });

  it('accepts another precision only if its depth is the same', async () => {
    const place = await folder();
    const frames = ['--frames', 'pictures/rgb', '--for', 'latency', '--json'];
    const same = ['tune', 'metres.onnx', '--candidate', 'same.onnx', ...frames, ...quick];
    const { stdout } = await depthline(same, place);
    const { accuracy, trials } = JSON.parse(stdout);
    expect(accuracy).toEqual([{ path: join(place.cwd, 'same.onnx'), delta1: 1, accepted: true }]);
    const files = new Set(
      trials.map((trial: { candidate: { path: string } }) => trial.candidate.path),
    );
    expect(files).toEqual(new Set([join(place.cwd, 'metres.onnx'), join(place.cwd, 'same.onnx')]));
  });

  it('ends when interrupted, and stores nothing', async () => {
    const place = await folder();
    const running = start(['tune', 'metres.onnx', '--seconds', '20'], place);
    await until(() => existsSync(`/proc/${running.child.pid}`));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running.child.kill('SIGINT');
    const { code } = await running.finished;
    expect(code === 1 || code === null).toBe(true);
    expect(await leftBehind(running)).toEqual([]);
    expect(existsSync(join(place.cwd, 'cache'))).toBe(false);
  });

  it.each([
    [['metr.onnx'], 2, /did you mean "metres\.onnx"/],
    [['metres.onnx', '--candidate', 'log.onnx'], 2, /--candidate needs --frames/],
    [
      ['metres.onnx', '--candidate', 'log.onnx', '--frames', 'pictures/rgb'],
      1,
      /log\.onnx has other inputs or outputs than metres\.onnx/,
    ],
    [['metres.onnx', '--for', 'speed'], 2, /throughput, latency/],
  ])('refuses %s', async (args, code, message) => {
    const finished = await depthline(['tune', ...args, ...quick], await folder());
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
    expect(finished.code).toBe(code);
  });
});
