import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bin,
  deliveredOf,
  depthline,
  type Finished,
  imbalances,
  leftBehind,
  start,
  startProcess,
  summaryOf,
  workplace,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';
import { decodeVideo } from '../support/video.ts';

const small = 'width: 64, height: 48';
const live = `
source:
  test-pattern: { ${small}, fps: 60, realtime: true }
operators:
  - estimate-depth: {}
  - smooth: {}
sinks:
  - file: { directory: out, format: png16 }
  - video: { path: out.mkv, codec: mjpeg }
  - discard: {}
    name: dropping
    queue: { limit: 1, when-full: drop-oldest }
`;
/** PUSH blocks without a reader. */
const stuck = `
source:
  test-pattern: { ${small} }
sinks:
  - zeromq: { bind: "tcp://127.0.0.1:*", type: push, high-water-mark: 1 }
`;
const short = `
source:
  test-pattern: { ${small}, frames: 20 }
sinks:
  - discard
  - file: { directory: out, format: png }
`;

describe.concurrent('depthline run', () => {
  it('prints the ledger, speed and latency as text', async () => {
    const finished = await depthline(['run', 'p.yaml'], { cwd: workplace({ 'p.yaml': short }) });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/^p: 20 frames captured in [\d.]+ s, [\d.]+ fps$/m);
    expect(finished.stdout).toMatch(/^latency, capture to delivery: p50 .* p95 .* p99 .* ms$/m);
    expect(finished.stdout).toMatch(/^branch +captured +delivered +dropped +failed +ledger$/m);
    expect(finished.stdout).toMatch(/^discard +20 +20 +0 +0 +balanced$/m);
    expect(finished.stdout).toMatch(/^file +20 +20 +0 +0 +balanced$/m);
  });

  it('prints an object per second and a summary with --stats json', async () => {
    const cwd = workplace({ 'p.yaml': live });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(
      () => running.stdout.split('\n').length > 2 && /"captured":[1-9]/.test(running.stdout),
    );
    running.child.kill('SIGINT');
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    const lines = finished.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatchObject({ type: 'stats', captured: expect.any(Number) });
      expect(line.branches).toHaveLength(3);
    }
    const summary = summaryOf(finished);
    expect(summary).toMatchObject({
      type: 'summary',
      fps: expect.any(Number),
      latencyMs: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
    });
    expect(summary.captured).toBeGreaterThan(0);
    expect(summary.branches.map(({ name }) => name)).toEqual(['file', 'video', 'dropping']);
    for (const branch of summary.branches) {
      expect(branch).toMatchObject({ delivered: expect.any(Number), failed: 0 });
      for (const drop of branch.dropped) {
        expect(drop).toEqual({
          stage: expect.any(String),
          reason: expect.any(String),
          count: expect.any(Number),
        });
      }
    }
    expect(imbalances(summary)).toEqual([0, 0, 0]);
    expect(await leftBehind(running)).toEqual([]);
  });

  it('prints nothing with --stats none', async () => {
    const args = ['run', 'p.yaml', '--stats', 'none'];
    const finished = await depthline(args, { cwd: workplace({ 'p.yaml': short }) });
    expect(finished).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('leaves nothing in the home directory (telemetry of ONNX Runtime is off)', async () => {
    const home = workplace();
    const text = short
      .replace('sinks:', 'operators: [estimate-depth]\nsinks:')
      .replace('format: png', 'format: npy');
    const cwd = workplace({ 'p.yaml': text });
    const env = { HOME: home, XDG_CACHE_HOME: undefined };
    expect((await depthline(['run', 'p.yaml'], { cwd, env })).code).toBe(0);
    const made = readdirSync(home, { recursive: true }) as string[];
    expect(made.filter((name) => !/gstreamer/.test(name) && name !== '.cache')).toEqual([]);
  });

  it('ends after --frames, with options from --set', async () => {
    const cwd = workplace({ 'p.yaml': short });
    const set = ['--set', 'sinks.file.directory=other', '--set', 'sinks.file.format=jpeg'];
    const args = ['run', 'p.yaml', '--frames', '7', '--stats', 'json', ...set];
    const summary = summaryOf(await depthline(args, { cwd }));
    expect(summary.captured).toBe(7);
    const pictures = readdirSync(join(cwd, 'other')).filter((name) => name.endsWith('.jpg'));
    expect(pictures).toHaveLength(7);
  });

  it.each([
    [['--frames', 'many'], /--frames.*must be a whole number/],
    [['--frames', '0'], /must be a whole number, at least 1/],
    [['--duration', '-1'], /must be a number greater than 0/],
    [['--stats', 'xml'], /text, json, none/],
    [['--frmes', '3'], /unknown option '--frmes'.*\n?.*--frames/],
    [['--set', 'nonsense'], /write it as path\.to\.option=value/],
  ])('refuses %s', async (flags, message) => {
    const cwd = workplace({ 'p.yaml': short });
    const finished = await depthline(['run', 'p.yaml', ...flags], { cwd });
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
  });

  it('finds pipelines by name, and suggests a similar name', async () => {
    const finished = await depthline(['run', 'demmo']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/unknown pipeline "demmo"; did you mean "demo"\?/);
  });

  it('stops in order when the reader of its output exits', async () => {
    const command = `"${bin}" run p.yaml --stats json --duration 4 | head -n 1`;
    const cwd = workplace({ 'p.yaml': live });
    const running = startProcess('bash', ['-o', 'pipefail', '-c', command], { cwd });
    const finished = await running.finished;
    expect(finished).toMatchObject({ code: 0, stderr: '' });
    expect(await leftBehind(running)).toEqual([]);
  });

  it('rewrites one status line on a terminal', async () => {
    const cwd = workplace({ 'p.yaml': live });
    // Not a duration, which may be over before the first frame: frames enough for more than a second.
    const command = `${bin} run p.yaml --frames 150`;
    const finished = await startProcess('script', ['-qefc', command, '/dev/null'], {
      cwd,
      env: { TERM: 'xterm', COLUMNS: '200' },
    }).finished;
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/\[2K[\d.]+ fps \| \d+ captured \| file \d+ \d+ ms/);
    expect(finished.stdout).toContain('balanced');
  });
});

async function ended(running: ReturnType<typeof start>, cwd: string): Promise<Finished> {
  // How long it takes is measured by bench/interrupt.ts; one that hangs is killed, and has no code.
  const finished = await running.finished;
  expect(finished.stderr).not.toMatch(/^\s+at /m);
  expect(await leftBehind(running)).toEqual([]);
  const files = readdirSync(cwd, { recursive: true }) as string[];
  expect(files.filter((name) => name.endsWith('.part'))).toEqual([]);
  return finished;
}

describe.concurrent('an interrupted run', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'finishes its files after %s',
    async (signal) => {
      const cwd = workplace({ 'p.yaml': live });
      const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
      await until(() => ['file', 'video'].every((name) => deliveredOf(running, name) > 0));
      running.child.kill(signal);
      const finished = await ended(running, cwd);
      expect(finished.code).toBe(0);
      const summary = summaryOf(finished);
      expect(imbalances(summary)).toEqual([0, 0, 0]);
      const [file, video] = summary.branches;
      const depths = readdirSync(join(cwd, 'out')).filter((name) => name.endsWith('.png'));
      expect(depths).toHaveLength(file?.delivered ?? -1);
      expect(decodeVideo(join(cwd, 'out.mkv')).pts).toHaveLength(video?.delivered ?? -1);
    },
  );

  it.each([0, 150, 300, 450, 700, 1000])('stops in order %d ms after its start', async (ms) => {
    const cwd = workplace({ 'p.yaml': live });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    // Before it runs, Node.js itself decides what a signal does.
    await until(() => running.child.pid !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 400 + ms));
    running.child.kill('SIGINT');
    const finished = await ended(running, cwd);
    if (finished.signal === 'SIGINT') return;
    expect(finished.code).toBe(0);
    if (finished.stdout !== '') expect(imbalances(summaryOf(finished))).toEqual([0, 0, 0]);
  });

  it('goes on after SIGUSR2, which prints the state of every stage', async () => {
    const cwd = workplace({ 'p.yaml': stuck });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(() => /"stage":"zeromq",[^{}]*"state":"stalled"/.test(running.stdout));
    running.child.kill('SIGUSR2');
    await until(() => running.stderr.includes('failed\n'));
    running.child.kill('SIGINT');
    const { stderr, code } = await ended(running, cwd);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^test-pattern +blocked by sinks\[0\] zeromq /m);
    expect(stderr).toMatch(/^zeromq queue +blocked by zeromq /m);
    expect(stderr).toMatch(/^zeromq +stalled +\d+\.\d s( +\d+){5}$/m);
  });

  it('drops and counts the remaining frames when a sink is stuck', async () => {
    const cwd = workplace({ 'p.yaml': `${stuck}    queue: { limit: 8 }\n` });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(() => /"captured":[1-9]/.test(running.stdout));
    running.child.kill('SIGINT');
    const finished = await ended(running, cwd);
    expect(finished.code).toBe(0);
    const summary = summaryOf(finished);
    expect(imbalances(summary)).toEqual([0]);
    expect(summary.branches[0]?.dropped.length).toBeGreaterThan(0);
  });

  it('stops at once after a second signal, with exit code 130', async () => {
    const cwd = workplace({ 'p.yaml': stuck });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(() => /"captured":[1-9]/.test(running.stdout));
    // Two of one kind might arrive as one.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) running.child.kill(signal);
    const finished = await ended(running, cwd);
    expect(finished.code).toBe(130);
    expect(imbalances(summaryOf(finished))).toEqual([0]);
  });
});

it('an interrupted run waits for an inference in progress, unless it gets a third signal', async () => {
  const pipeline = `
source:
  test-pattern: { ${small}, pattern: white, fps: 30, realtime: true }
operators:
  - estimate-depth: { model: ./slow.onnx }
sinks:
  - discard
`;
  const cwd = workplace({ 'p.yaml': pipeline });
  putModel(cwd, 'slow');
  const busy = async () => {
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    await until(() => /"captured":[1-9]/.test(running.stdout));
    return running;
  };
  const [patient, not] = await Promise.all([busy(), busy()]);
  patient.child.kill('SIGINT');
  // Three of a kind might arrive as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) not.child.kill(signal);
  const { code, signal } = await not.finished;
  expect(code).toBe(null);
  expect(['SIGINT', 'SIGTERM', 'SIGHUP']).toContain(signal);
  const finished = await ended(patient, cwd);
  expect(finished).toMatchObject({ code: 0, signal: null });
  expect(finished.stderr).not.toMatch(/terminate called/);
  expect(imbalances(summaryOf(finished))).toEqual([0]);
  expect(await leftBehind(not)).toEqual([]);
});
