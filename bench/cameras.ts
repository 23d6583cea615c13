import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { measured } from '../src/benchmark/statistics.ts';
import { commandLine, cpuMs, family } from '../src/device/processes.ts';
import { freePort } from '../test/support/free-port.ts';
import type { Bench } from './support/bench.ts';
import { familyMemoryMiB } from './support/family-memory.ts';

const fps = 10;
const many = 8;
const program = fileURLToPath(new URL('../bin/depthline', import.meta.url));

/** What eight cameras in one run cost beside one, and what the death of one costs the others. */
export const cameras: Bench = {
  name: 'cameras',
  summary: `${many} cameras of ${fps} fps in one run, beside one`,
  async run({ rounds, seconds, warmUp, model }, print) {
    const ones: Result[] = [];
    const manys: Result[] = [];
    for (let round = 0; round < rounds; round++) {
      ones.push(await measure(1, model, warmUp, seconds));
      manys.push(await measure(many, model, warmUp, seconds));
    }
    const tell = (
      what: string,
      unit: string,
      results: readonly Result[],
      of: (r: Result) => number,
    ) => print(what, unit, measured(results.map(of)));
    for (const [name, results] of [
      ['1 camera', ones],
      [`${many} cameras`, manys],
    ] as const) {
      tell(`${name}: memory of all processes`, 'MiB', results, (r) => r.memoryMiB);
      tell(`${name}: CPU time`, 'ms per frame', results, (r) => r.cpuMs);
      tell(`${name}: frames`, 'per second and camera', results, (r) => r.fps);
    }
    const ratio = (of: (r: Result) => number) =>
      measured(manys.map((result, i) => of(result) / of(ones[i] as Result)));
    print(
      `memory, ${many} cameras / 1`,
      '',
      ratio((r) => r.memoryMiB),
    );
    print(
      `CPU time per frame, ${many} cameras / 1`,
      '',
      ratio((r) => r.cpuMs),
    );
    tell('frames of the slowest / of the fastest', '', manys, (r) => r.fairness);
    tell('one killed: frames of the others / before', '', manys, (r) => r.kept);
  },
};

interface Result {
  readonly memoryMiB: number;
  /** Per frame. */
  readonly cpuMs: number;
  /** Per camera. */
  readonly fps: number;
  readonly fairness: number;
  /** Rate of the others after one was killed, to their rate before; NaN if there is one only. */
  readonly kept: number;
}

async function measure(
  count: number,
  model: string,
  warmUp: number,
  seconds: number,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-cameras-'));
  const source = {
    'test-pattern': {
      ...{ width: 640, height: 480, fps, realtime: true },
      // What is killed is to stay dead.
      restart: { limit: 0 },
    },
  };
  const names = Array.from({ length: count }, (_, i) => `c${i + 1}`);
  const file = join(folder, 'cameras.yaml');
  const sources =
    count === 1 ? { source } : { cameras: Object.fromEntries(names.map((name) => [name, source])) };
  const operators = [{ 'estimate-depth': { model, tuned: 'off' } }];
  writeFileSync(
    file,
    stringify({ ...sources, operators, sinks: ['discard'] }, { aliasDuplicateObjects: false }),
  );
  const port = await freePort();
  const child = spawn(program, ['run', file, '--serve', `${port}`], { stdio: 'ignore' });
  const gone = once(child, 'exit');
  const take = () => counted(port);
  try {
    const end = performance.now() + 60_000;
    for (
      let at = await take();
      at.frames.length < count || at.frames.includes(0);
      at = await take()
    ) {
      if (performance.now() > end) throw new Error('the cameras do not start');
      await sleep(100);
    }
    await sleep(warmUp * 1000);
    const pids = family(child.pid);
    const before = { ...(await take()), cpu: cpuMs(pids) };
    await sleep(seconds * 1000);
    const after = await take();
    const cpu = cpuMs(pids) - before.cpu;
    const memoryMiB = familyMemoryMiB(pids);
    const got = rates(before, after);
    const kept = count === 1 ? Number.NaN : await keptAfterKill(pids, take, got, seconds);
    const sum = got.reduce((total, n) => total + n, 0);
    return {
      memoryMiB,
      cpuMs: (1000 * cpu) / (sum * (after.atMs - before.atMs)),
      fps: sum / count,
      fairness: Math.min(...got) / Math.max(...got),
      kept,
    };
  } finally {
    child.kill('SIGINT');
    await gone;
    rmSync(folder, { recursive: true });
  }
}

/** Frames that the sink has been given, by camera, and when. */
interface Counted {
  readonly frames: readonly number[];
  readonly atMs: number;
}

async function counted(port: number): Promise<Counted> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  const text = (await answer?.text()) ?? '';
  const lines = text.matchAll(/^depthline_delivered_frames_total\{.*\} (\d+)$/gm);
  return { frames: [...lines].map(([, n]) => Number(n)), atMs: performance.now() };
}

/** Frames per second of each camera. */
function rates(from: Counted, to: Counted): number[] {
  return to.frames.map((n, i) => (1000 * (n - (from.frames[i] ?? 0))) / (to.atMs - from.atMs));
}

/** Kills the capture process of one camera; the rate of the others, to that before. */
async function keptAfterKill(
  pids: readonly number[],
  take: () => Promise<Counted>,
  before: readonly number[],
  seconds: number,
): Promise<number> {
  const victim = pids.find((pid) => commandLine(pid).includes('capture-host'));
  if (victim === undefined) throw new Error('there is no capture process');
  process.kill(victim, 'SIGKILL');
  // The last frame of the victim has been counted.
  await sleep(1500);
  const start = await take();
  await sleep(seconds * 1000);
  const got = rates(start, await take());
  const dead = got.indexOf(Math.min(...got));
  const of = (counts: readonly number[]) =>
    counts.reduce((sum, n, i) => sum + (i === dead ? 0 : n), 0);
  return of(got) / of(before);
}
