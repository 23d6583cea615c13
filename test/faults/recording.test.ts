import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bin,
  deliveredOf,
  imbalances,
  leftBehind,
  type Running,
  reportsOf,
  type Summary,
  startProcess,
  workplace,
} from '../support/cli.ts';
import { isRunning, until } from '../support/gstreamer.ts';
import { processesOf } from '../support/processes.ts';
import { decodeVideo } from '../support/video.ts';

const source = 'test-pattern: { width: 64, height: 48, fps: 30, realtime: true }';

function pipeline(...sinks: string[]): string {
  return `source: { ${source} }\nsinks:\n${sinks.map((sink) => `  - ${sink}\n`).join('')}`;
}

/** Runs `p.yaml` as the leader of a process group of its own, as a shell or systemd does. */
function record(cwd: string): Running {
  return startProcess('setsid', ['--wait', bin, 'run', 'p.yaml', '--stats', 'json'], { cwd });
}

/** The run itself, which `setsid` has started. */
function leader({ child }: Running): number {
  // Not the capture process, which has the folder of the project in its command line.
  const [pid] = processesOf('run\0p.yaml', child.pid);
  return pid ?? (child.pid as number);
}

async function summaryOf(running: Running): Promise<Summary & { code: number | null }> {
  const { code } = await running.finished;
  const summary = reportsOf(running).at(-1) as Summary;
  expect(summary.type).toBe('summary');
  expect(imbalances(summary).every((rest) => rest === 0)).toBe(true);
  expect(await leftBehind(running)).toEqual([]);
  return { ...summary, code };
}

describe.concurrent.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s to the whole process group',
  (signal) => {
    it.each(['mp4', 'mkv'])(
      'leaves an %s file with every frame that was delivered',
      async (ending) => {
        const cwd = workplace({ 'p.yaml': pipeline(`video: { path: clip.${ending} }`) });
        const running = record(cwd);
        await until(() => deliveredOf(running) > 20);
        process.kill(-leader(running), signal);
        const summary = await summaryOf(running);
        expect(summary.code).toBe(0);
        expect(readdirSync(cwd).sort()).toEqual([`clip.${ending}`, 'p.yaml']);
        const { pts } = decodeVideo(join(cwd, `clip.${ending}`));
        expect(pts).toHaveLength(summary.branches[0]?.delivered ?? 0);
      },
    );
  },
);

describe.concurrent('an encoder process that is killed', () => {
  it.each(['fail', 'skip', 'retry'])(
    'is replaced with on-error: %s; other sinks go on',
    async (policy) => {
      const cwd = workplace({
        'p.yaml': pipeline(
          `{ video: { path: clip.mkv }, on-error: ${policy} }`,
          'file: { directory: frames, format: png }',
        ),
      });
      const running = record(cwd);
      await until(() => deliveredOf(running) > 20);
      const [host] = processesOf('output-host', leader(running)) as [number];
      process.kill(host, 'SIGKILL');
      await until(() => !isRunning(host));
      const before = deliveredOf(running);
      await until(() => deliveredOf(running) > before + 30);
      process.kill(leader(running), 'SIGTERM');
      const summary = await summaryOf(running);
      expect(summary.code).toBe(0);
      expect(summary.restarts).toEqual([{ stage: 'video', count: 1 }]);
      const frames = ['clip.recording.mkv', 'clip-2.mkv'].map(
        (name) => decodeVideo(join(cwd, name)).pts.length,
      );
      const [video, file] = summary.branches;
      expect(video?.delivered).toBe((frames[0] as number) + (frames[1] as number));
      const pictures = readdirSync(join(cwd, 'frames')).filter((name) => name.endsWith('.png'));
      expect(pictures).toHaveLength(file?.delivered ?? 0);
      expect(file?.failed).toBe(0);
    },
  );
});

describe.concurrent('two runs', () => {
  it.each([
    ['video: { path: out/clip.mkv }', 'video'],
    ['file: { directory: out, format: png }', 'file'],
    ['file: { directory: "out/%Y", format: png }', 'file'],
  ])('into one place (%s): the second says so and ends', async (sink, name) => {
    const cwd = workplace({ 'p.yaml': pipeline(sink) });
    const first = record(cwd);
    await until(() => deliveredOf(first, name) > 5);
    const second = await record(cwd).finished;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      /out is in use: another run or sink writes .*; end it, or choose/,
    );
    // A dead owner holds nothing.
    process.kill(-leader(first), 'SIGKILL');
    await first.finished;
    const third = record(cwd);
    await until(() => deliveredOf(third, name) > 5);
    process.kill(leader(third), 'SIGTERM');
    expect((await summaryOf(third)).code).toBe(0);
  });
});

it('a recorder that is killed again and again keeps everything that it wrote', async () => {
  const cwd = workplace({
    'p.yaml': pipeline('file: { directory: frames, format: png }', 'video: { path: clip.mkv }'),
  });
  const kept = new Map<string, string>();
  for (const afterFrames of [3, 17, 40]) {
    const running = record(cwd);
    await until(() => deliveredOf(running, 'file') > afterFrames);
    await until(() => deliveredOf(running, 'video') > 3);
    process.kill(-leader(running), 'SIGKILL');
    await running.finished;
    // The encoder completes its file and ends.
    expect(await leftBehind(running)).toEqual([]);
    const hashes = [...hashesIn(cwd), ...hashesIn(join(cwd, 'frames'))];
    const now = new Map(hashes);
    for (const [name, hash] of kept) expect([name, now.get(name)]).toEqual([name, hash]);
    for (const [name, hash] of now) if (/\.(png|mkv)$/.test(name)) kept.set(name, hash);
  }
  const names = [...kept.keys()];
  expect(names.filter((name) => name.endsWith('.mkv'))).toHaveLength(3);
  for (const name of names.filter((name) => name.endsWith('.png')))
    expect(readFileSync(name).subarray(-8, -4).toString()).toBe('IEND');
  for (const name of names.filter((name) => name.endsWith('.mkv')))
    expect(decodeVideo(name).pts.length).toBeGreaterThan(0);
});

function hashesIn(folder: string): [string, string][] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => {
      const path = join(folder, name);
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')];
    });
}
