import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { addSecret } from '../../src/core/secrets.ts';
import type { ProcessChoice } from '../../src/inference/engines/choice.ts';
import { engineNeeds } from '../../src/inference/engines/describe-engine.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { startProcess } from '../support/cli.ts';
import { fakeHelper, referenceHelper } from '../support/engines.ts';
import { imageFrame } from '../support/frames.ts';
import { isRunning, until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';
import { processesOf } from '../support/processes.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'helper-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await until(() => processesOf('helper').length === 0);
});

const red = (value: number) => imageFrame(8, 6, 0, () => [value, 0, 0]);

function open(engine: ProcessChoice): Promise<DepthEstimator> {
  return DepthEstimator.open({ model: putModel(directory, 'metres'), engine });
}

describe('a helper that does not load the model', () => {
  it.each([
    ['refuses', /python3 cannot load \S+metres.onnx: the operator Resize is not supported/],
    ['crashes', /metres.onnx cannot be loaded: .*exit code 4 \[no such device: \/dev\/npu0\]/],
    ['garbage', /sent 4c6f6164\S+ where a message must begin with "DPTH"/],
    ['other-version', /speaks version 9 of the protocol, and this is version 1/],
    [
      'later-answer',
      /gave an answer that is of version 2 .*, and this is version 1; a helper must speak the protocol of docs\/engine-protocol\.md/,
    ],
    ['other-model', /python3 does not fit the model metres: it has loaded "another"/],
    ['other-size', /its network takes 9×6 pictures, and the manifest says 8×6/],
    ['no-size', /gave an answer that has no line "output.width" with a number of pixels/],
  ])('%s', async (wrong, says) => {
    await expect(open(fakeHelper(wrong))).rejects.toMatchObject({
      code: 'MODEL',
      message: expect.stringMatching(says) as string,
    });
  });

  it('and prints more than is quoted: no part of a secret is', async () => {
    addSecret('zr48cq73hw16tn95');
    const words = 'no device '.repeat(39).trim();
    const command = ['/bin/sh', '-c', `echo 'zr48cq73hw16tn95 ${words}' >&2; exit 4`];
    await expect(open(fakeHelper('', { command }))).rejects.toThrow(
      /\[(?:\*\*\*|…[*]*)? ?(?:no device ?)+\]/,
    );
  });

  it('because it hangs: is ended', async () => {
    const opening = open(fakeHelper('hangs', { startWithinMs: 300 }));
    await expect(opening).rejects.toThrow(/gave no answer within 300 ms and was ended/);
  });

  it('another input size than the manifest’s, found by the reference helper', async () => {
    const model = putModel(directory, 'metres', { input: { width: 10 } });
    const engine = fakeHelper('', { command: [referenceHelper()] });
    await expect(DepthEstimator.open({ model, engine })).rejects.toThrow(
      /its network takes 8×6 pictures, and the manifest says 10×6/,
    );
  });

  it('has as long as it shows signs of life', async () => {
    // It takes longer than that in all.
    const estimator = await open(fakeHelper('progress', { startWithinMs: 2000 }));
    expect((await estimator.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
    await estimator.close();
  });
});

it('adds one listener for the exit, however many there are', async () => {
  const model = putModel(directory, 'metres');
  const before = process.listenerCount('exit');
  const counts: number[] = [];
  for (const workers of [1, 3]) {
    const estimator = await DepthEstimator.open({ model, engine: fakeHelper(''), workers });
    counts.push(process.listenerCount('exit'));
    await estimator.close();
  }
  expect(counts[1]).toBe(counts[0]);
  expect(process.listenerCount('exit')).toBe(before);
});

describe('a program that cannot be run', () => {
  const problemOf = async (program: string) => {
    const choice = fakeHelper('', { command: [program] });
    await expect(open(choice)).rejects.toMatchObject({ code: 'MISSING' });
    const [problem] = await engineNeeds(choice, directory);
    expect(problem?.path).toEqual(['process', 'command', 0]);
    return problem?.message;
  };

  it('is missing', async () => {
    expect(await problemOf('/nowhere/helper')).toBe(
      'there is no program /nowhere/helper; build or install it, or correct the command',
    );
    expect(await problemOf('no-such-helper')).toMatch(/no program no-such-helper in PATH/);
  });

  it('may not be executed', async () => {
    const path = join(directory, 'program');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o644);
    expect(await problemOf(path)).toBe(
      `${path} may not be executed; allow it with: chmod +x ${path}`,
    );
    expect(await problemOf(directory)).toMatch(/is not a program, but a folder/);
  });

  it('is of no known format', async () => {
    const path = join(directory, 'program');
    writeFileSync(path, '\0\x01\x02', { mode: 0o755 });
    await expect(open(fakeHelper('', { command: [path] }))).rejects.toThrow(
      /the helper program (?:ended with exit code \d+ \[.+\]|cannot be started)/,
    );
  });
});

it('a helper that is killed again and again while it runs: the ledger is right, and the order', async () => {
  const seen: number[] = [];
  const restarts: string[] = [];
  const run = await startPipeline(
    definePipeline({
      source: testPattern({ width: 8, height: 6, fps: 100, realtime: true }),
      operators: [
        estimateDepth({
          ...{ model: putModel(directory, 'metres'), workers: 2 },
          ...{ engine: 'process', process: { command: [...fakeHelper().command] } },
        }),
        tap<Frame>(({ seq }) => seen.push(seq)),
      ],
      sinks: [discard()],
    }),
    {
      log: {
        debug() {},
        info() {},
        warn(text) {
          if (text.includes('restarted')) restarts.push(text);
        },
      },
    },
  );
  const killed = new Set<number>();
  for (let n = 1; n <= 3; n++) {
    const before = seen.length;
    await until(() => seen.length > before + 5);
    const [pid] = processesOf('helper').filter((one) => !killed.has(one));
    killed.add(pid as number);
    process.kill(pid as number, 'SIGKILL');
    await until(() => restarts.length >= n);
  }
  run.stop();
  const { branches, error } = await run.done;
  expect(error).toBeUndefined();
  expect(branches.map(imbalance)).toEqual([0]);
  expect(branches[0]?.failed).toBeGreaterThanOrEqual(1);
  expect(restarts[0]).toMatch(/restarted .*the helper python3 was killed by SIGKILL/);
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
}, 120_000);

describe('no helper is left', () => {
  const script = (more: string, wrong = '') => `
    import { DepthEstimator } from ${JSON.stringify(new URL('../../dist/inference/estimator.js', import.meta.url).href)};
    const estimator = await DepthEstimator.open({ model: ${JSON.stringify(putModel(directory, 'metres'))},
      engine: ${JSON.stringify(fakeHelper(wrong))} });
    const picture = (red) => ({ width: 8, height: 6, format: 'rgb', data: new Uint8Array(144).fill(red) });
    await estimator.estimate(picture(100));
    ${more}`;
  const start = (more: string, wrong?: string) =>
    startProcess(process.execPath, ['--input-type=module', '-e', script(more, wrong)]);

  it('by a program that forgets to close it', async () => {
    const { code, stdout, stderr } = await start('console.log("done");').finished;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });

  it('that hangs, by a program that exits', async () => {
    const { finished } = start(
      'estimator.estimate(picture(242)); setTimeout(() => process.exit(7), 50);',
    );
    expect((await finished).code).toBe(7);
  });

  it('that hangs, by a program that is killed', async () => {
    const program = start('void estimator.estimate(picture(242)); console.log("waiting");');
    await until(() => program.stdout.includes('waiting'));
    const pid = program.child.pid as number;
    const [helper] = processesOf('fake-helper', pid);
    process.kill(pid, 'SIGKILL');
    await program.finished;
    await until(() => !isRunning(helper as number));
  });

  it('nor its own children', async () => {
    const engine = fakeHelper('forks');
    const estimator = await open(engine);
    const [helper] = processesOf('helper');
    await until(() => processesOf('helper', helper).length === 1);
    const [child] = processesOf('helper', helper);
    await expect(estimator.estimate(red(240))).rejects.toThrow(/exit code 3/);
    await until(() => !isRunning(child as number));
    await estimator.close();
  });
});
