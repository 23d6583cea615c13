import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { findModel, verifyModel } from '../../src/inference/model-files.ts';
import { tuningKey, writeTuning } from '../../src/inference/tuning-cache.ts';
import { loadPipelineFile } from '../../src/pipeline/pipeline-file.ts';
import { runTimingTest } from '../../src/runtime/run-timing-test.ts';
import { depthline, workplace } from '../support/cli.ts';
import { putModel } from '../support/models.ts';

/** A camera of 100 fps before a network of 24 ms; the screen takes 50 ms. */
const pipeline = (expectations: string) => `
source:
  test-pattern: { fps: 100, realtime: true }
operators:
  - estimate-depth
sinks:
  - zeromq: { bind: "tcp://127.0.0.1:*" }
  - display: {}
    queue: { limit: 1, when-full: drop-oldest }
tests:
  - name: eleven frames
    source: { fps: 100, frames: 11 }
    takes: { estimate-depth: 24ms, display: 50ms }
    expect: ${expectations}
`;

/*
 * Frame n comes at 10·n ms. The network begins 0 at 0 ms, and then whichever is the newest:
 * 2 at 24, 4 at 48, 7 at 72, 9 at 96 and 10 at 120 ms. 1, 3, 5, 6 and 8 are replaced.
 * Their ages at the end: 24, 28, 32, 26, 30 and 44 ms. The last comes out at 144 ms.
 * The screen begins 0 at 24 ms, 4 at 74 (which replaced 2 at 72), 9 at 124 (7 at 120), and 10 at 174 ms.
 */
const right = `
      zeromq: { captured: 11, delivered: 6, dropped: 5, age-p50: "<= 28.1ms", age-p99: ">= 44ms" }
      display: { delivered: 4, dropped: "= 7" }
`;

describe('depthline test', () => {
  it('computes deliveries and drops exactly', async () => {
    const cwd = workplace({ 'p.yaml': pipeline(right) });
    const { code, stdout } = await depthline(['test', 'p.yaml'], { cwd });
    expect(stdout).toBe('ok      p: eleven frames\n1 tests, 0 failed\n');
    expect(code).toBe(0);
  });

  it('prints the expected and the actual figure of a failed test', async () => {
    const text = pipeline('{ zeromq: { delivered: 11, age-p99: "<= 25ms", dropped: 5 } }');
    const cwd = workplace({ 'p.yaml': text, 'q.yaml': pipeline(right) });
    const { code, stdout } = await depthline(['test', 'p.yaml', 'q.yaml'], { cwd });
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'FAILED  p: eleven frames',
      '        zeromq delivered: expected 11, actual 6',
      expect.stringMatching(/^ {8}zeromq age-p99: expected <= 25ms, actual 44(\.\d+)?ms$/),
      'ok      q: eleven frames',
      '2 tests, 1 failed',
      '',
    ]);
  });

  it('takes --set, and prints JSON', async () => {
    const cwd = workplace({ 'p.yaml': pipeline(right) });
    const set = ['--set', 'operators.0={ estimate-depth: { workers: 3 } }'];
    const { code, stdout } = await depthline(['test', 'p.yaml', ...set, '--json'], { cwd });
    expect(code).toBe(1);
    const [{ failures, summary }] = JSON.parse(stdout);
    expect(failures).toContainEqual({
      sink: 'zeromq',
      figure: 'delivered',
      expected: '6',
      actual: 11,
    });
    expect(summary.captured).toBe(11);
  });

  it('simulates as many workers as "depthline tune" stored', async () => {
    const text = pipeline('{ zeromq: { delivered: 0 } }').replace(
      '- estimate-depth',
      '- estimate-depth: { model: metres.onnx }',
    );
    const cwd = workplace({ 'p.yaml': text });
    const { sha256 } = await verifyModel(await findModel(putModel(cwd, 'metres'), cwd));
    const env = { DEPTHLINE_CACHE: join(cwd, 'cache') };
    vi.stubEnv('DEPTHLINE_CACHE', env.DEPTHLINE_CACHE);
    const session = { spinning: true, arena: true, graph: 'all' } as const;
    const found = { workers: 2, threads: 1, session, fps: 2, defaultFps: 1, date: '2026-01-01' };
    writeTuning(tuningKey(sha256, ['cpu']), found);
    vi.unstubAllEnvs();
    const delivered = async (options: string) => {
      const set = ['--set', `operators.0={ estimate-depth: { model: metres.onnx${options} } }`];
      const { stdout } = await depthline(['test', 'p.yaml', '--json', ...set], { cwd, env });
      const [{ summary }] = JSON.parse(stdout);
      return summary.branches[0].delivered;
    };
    const [one, two] = [await delivered(', workers: 1'), await delivered(', workers: 2')];
    expect(one).toBeLessThan(two);
    expect(await delivered('')).toBe(two);
    expect(await delivered(', tuned: off')).toBe(one);
  });

  it.each([
    ['nothing to test', 'source: test-pattern\nsinks: [discard]\n', /p\.yaml has no "tests"/],
    [
      'an unknown sink',
      pipeline('{ zeromk: { delivered: 1 } }'),
      /p\.yaml:14:15: unknown stage "zeromk"; did you mean "zeromq"\?/,
    ],
    ['no comparison', pipeline('{ zeromq: { delivered: many } }'), /must be a number, or a comp/],
    ['a time without a unit', pipeline('{ zeromq: { age-p99: "<= 5" } }'), /its unit/],
    ['nothing expected', pipeline('{ zeromq: {} }'), /must hold at least one expectation/],
    ['another figure', pipeline('{ zeromq: { delivred: 3 } }'), /did you mean "delivered"/],
  ])('refuses %s', async (_, text, message) => {
    const { code, stderr } = await depthline(['test', 'p.yaml'], {
      cwd: workplace({ 'p.yaml': text }),
    });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });
});

const folder = `${packageDirectory()}pipelines/`;

describe('the tests of the built-in pipelines', () => {
  it.each(readdirSync(folder))('%s', async (name) => {
    const loaded = await loadPipelineFile(`${folder}${name}`, { registry: builtins });
    const { pipeline, cameras, tests } = loaded;
    // Timing tests are of one source.
    if (cameras) return expect(tests).toEqual([]);
    if (!pipeline) throw new Error(`${name} is wrong`);
    for (const test of tests) {
      expect(await runTimingTest(pipeline, test)).toMatchObject({ failures: [] });
    }
    if (/live|rtsp|publish/.test(name)) expect(tests.length).toBeGreaterThan(0);
  });
});
