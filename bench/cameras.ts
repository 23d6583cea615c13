import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { measured } from '../src/benchmark/statistics.ts';
import type { CameraStats } from '../src/core/run-stats.ts';
import { commandLine, cpuMs, family } from '../src/device/processes.ts';
import type { Bench } from './support/bench.ts';
import { familyMemoryMiB } from './support/family-memory.ts';
import { until } from './support/until.ts';

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
  const child = spawn(program, ['run', file, '--stats', 'json', '--log', 'json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const gone = once(child, 'exit');
  let frames: number[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { type, cameras, processed } = JSON.parse(line) as Line;
    if (type === 'stats') frames = cameras?.map((camera) => camera.processed) ?? [processed];
  });
  try {
    await until(() => frames.length === count && frames.every((n) => n > 0), 60_000);
    await sleep(warmUp * 1000);
    const pids = family(child.pid);
    const before = { frames, cpu: cpuMs(pids) };
    await sleep(seconds * 1000);
    const cpu = cpuMs(pids) - before.cpu;
    const memoryMiB = familyMemoryMiB(pids);
    const got = minus(frames, before.frames);
    const kept = count === 1 ? Number.NaN : await keptAfterKill(pids, () => frames, got, seconds);
    const all = got.reduce((sum, n) => sum + n, 0);
    return {
      memoryMiB,
      cpuMs: cpu / all,
      fps: all / count / seconds,
      fairness: Math.min(...got) / Math.max(...got),
      kept,
    };
  } finally {
    child.kill('SIGINT');
    await gone;
    rmSync(folder, { recursive: true });
  }
}

interface Line {
  readonly type: string;
  readonly processed: number;
  readonly cameras?: readonly CameraStats[];
}

/** Kills the capture process of one camera; the rate of the others, to that before. */
async function keptAfterKill(
  pids: readonly number[],
  frames: () => readonly number[],
  before: readonly number[],
  seconds: number,
): Promise<number> {
  const victim = pids.find((pid) => commandLine(pid).includes('capture-host'));
  if (victim === undefined) throw new Error('there is no capture process');
  process.kill(victim, 'SIGKILL');
  // The last frame of the victim has been counted.
  await sleep(1500);
  const start = frames();
  await sleep(seconds * 1000);
  const got = minus(frames(), start);
  const dead = got.indexOf(Math.min(...got));
  const of = (counts: readonly number[]) =>
    counts.reduce((sum, n, i) => sum + (i === dead ? 0 : n), 0);
  return of(got) / of(before);
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((n, i) => n - (b[i] ?? 0));
}
