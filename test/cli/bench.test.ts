import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { depthline, leftBehind, start, workplace } from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';

const depth = `
source:
  test-pattern: { width: 8, height: 6 }
operators:
  - estimate-depth: { model: metres.onnx }
  - smooth: {}
sinks:
  - discard
  - video: { path: out.mkv, codec: mjpeg }
    queue: { limit: 1, when-full: drop-oldest }
    operators: [colorize]
`;
const plain = `
source:
  test-pattern: { width: 8, height: 6, fps: 50, realtime: true }
sinks:
  - discard
`;

function folder(files: Readonly<Record<string, string>>): string {
  const cwd = workplace(files);
  putModel(cwd, 'metres');
  return cwd;
}

const quick = ['--rounds', '2', '--seconds', '0.5', '--warm-up', '0.1'];

describe('depthline bench', () => {
  it('measures a pipeline and its model alone, and the CPU time by stage', async () => {
    const cwd = folder({ 'p.yaml': depth });
    const args = ['bench', 'p.yaml', ...quick, '--json', '--plot', 'cost.svg'];
    const { code, stdout } = await depthline(args, { cwd });
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.bare).toMatchObject({ workers: 1, threads: 1, fps: { rounds: 3 } });
    expect(result.ratio.median).toBeCloseTo(result.fps.median / result.bare.fps.median, 0);
    const { total, capture, stages, inference, bareInference, output } = result.cpuMsPerFrame;
    expect(Object.keys(stages)).toEqual([
      'estimate-depth',
      'smooth',
      'discard',
      'video colorize',
      'video',
    ]);
    for (const part of [capture, inference, bareInference, output]) {
      expect(part.median).toBeGreaterThan(0);
      expect(part.median).toBeLessThan(total.median);
    }
    expect(Object.keys(result.latencyMs)).toEqual(['discard', 'video']);
    expect(result.latencyMs.discard.p99.median).toBeGreaterThan(0);
    expect(result.peakMemoryMiB.median).toBeGreaterThan(10);
    expect(result.startUpMs.median).toBeGreaterThan(0);
    const plot = readFileSync(join(cwd, 'cost.svg'), 'utf8');
    expect(plot).toMatch(/^<svg /);
    expect(plot).toContain('main thread: smooth</text>');
  });

  it('prints a table, of a pipeline without a model too', async () => {
    const cwd = folder({ 'p.yaml': plain });
    const { code, stdout } = await depthline(['bench', 'p.yaml', ...quick], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^p: 2 rounds of 0\.5 s$/m);
    expect(stdout).toMatch(/^pipeline +[\d.]+ +[\d.]+ … [\d.]+ +fps$/m);
    expect(stdout).toMatch(/^event loop delay, p99 .* ms$/m);
    expect(stdout).not.toMatch(/inference|model alone/);
  });

  it('measures a pipeline without the frame rate of its source', async () => {
    const cwd = folder({ 'p.yaml': plain });
    const slow = ['--set', 'source.test-pattern.fps=2'];
    const args = ['bench', 'p.yaml', ...quick, ...slow, '--flood', '--json'];
    const { stdout } = await depthline(args, { cwd });
    expect(JSON.parse(stdout).fps.median).toBeGreaterThan(4);
  });

  it('prints one table over the power modes of a Jetson, and restores the first', async () => {
    // A Jetson's programs cannot be here: these say what its own do, and note what they are asked.
    const cwd = folder({
      'p.yaml': plain,
      nvpmodel: `#!/bin/sh
if [ "$1" = -m ]; then echo "$2" > mode; echo "$2" >> asked; fi
case $(cat mode 2>/dev/null || echo 3) in 0) name=MAXN;; 1) name=MAXQ;; *) name=MAXP_CORE_ARM;; esac
echo "NV Power Mode: $name"; cat mode 2>/dev/null || echo 3
`,
      tegrastats: `#!/bin/sh
while sleep 0.05; do
  if [ "$(cat mode)" = 0 ]; then echo "RAM 1/2MB VDD_IN 8000mW/8000mW"; else echo "RAM 1/2MB VDD_IN 4000mW/4000mW"; fi
done
`,
    });
    for (const name of ['nvpmodel', 'tegrastats']) chmodSync(join(cwd, name), 0o755);
    const env = { PATH: `${cwd}:${process.env.PATH}` };
    const args = ['bench', 'p.yaml', ...quick, '--modes', '0,1'];
    const { code, stdout } = await depthline(args, { cwd, env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mode +fps +latency p50, ms +W +mJ per frame$/m);
    const watts = (mode: string) => {
      const [, , , power] = (new RegExp(`^${mode} .*$`, 'm').exec(stdout)?.[0] ?? '').split(/ +/);
      return Number(power);
    };
    // A sample holds until the next one, so that each mode has a little of the other's.
    // Energy and time are not read at the same instant.
    expect(watts('MAXQ')).toBeGreaterThan(3.9);
    expect(watts('MAXN')).toBeGreaterThan(watts('MAXQ'));
    expect(watts('MAXN')).toBeLessThanOrEqual(8);
    expect(readFileSync(join(cwd, 'asked'), 'utf8')).toBe('0\n1\n3\n');
  });

  it('stops in order when interrupted', async () => {
    const cwd = folder({ 'p.yaml': plain });
    const running = start(['bench', 'p.yaml', '--seconds', '30'], { cwd });
    await until(() => processCount(running.child.pid) > 0);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(stderr).toMatch(/interrupted/);
    expect(code).toBe(1);
    expect(await leftBehind(running)).toEqual([]);
  });

  it.each([
    [
      'a source that ends',
      ['--set', 'source.test-pattern.frames=35'],
      1,
      /only \d+ frames were captured/,
    ],
    ['an unknown option', ['--round', '2'], 2, /--rounds/],
    ['modes of no Jetson', ['--modes', '0'], 1, /nvpmodel cannot set power mode 0: .*root/],
    ['modes that are no numbers', ['--modes', 'max'], 2, /numbers separated by commas/],
    ['no time', ['--seconds', '0'], 2, /greater than 0/],
    [
      'a plot in place of the pipeline',
      ['--plot', 'p.yaml'],
      1,
      /p\.yaml exists and is not replaced/,
    ],
    ['a plot that cannot be written', [...quick, '--plot', 'no/p.svg'], 1, /no\/p\.svg/],
  ])('refuses %s', async (_, flags, code, message) => {
    const cwd = folder({ 'p.yaml': plain });
    const finished = await depthline(['bench', 'p.yaml', ...flags], { cwd });
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).not.toMatch(/^\s+at /m);
    expect(finished.code).toBe(code);
  });
});

/** Child processes of a process. */
function processCount(pid: number | undefined): number {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').length - 1;
}
