import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measured, percentile } from '../src/benchmark/statistics.ts';
import type { Bench } from './support/bench.ts';
import { type Contestant, contestants, launchOf, video } from './support/contestants.ts';
import { type Lap, lap } from './support/race.ts';

interface Race {
  readonly name: string;
  readonly source: string;
  readonly live: boolean;
  readonly workers: number;
  readonly shows: readonly (readonly [what: string, unit: string, of: (lap: Lap) => number])[];
}

const fps = ['speed', 'fps', (lap: Lap) => lap.fps] as const;
const cpu = ['CPU time of all processes', 'ms per frame', (lap: Lap) => lap.cpuMsPerFrame] as const;
const memory = ['memory of all processes, peak', 'MiB', (lap: Lap) => lap.peakMemoryMiB] as const;
const proportional = [
  'the same, shared pages counted once',
  'MiB',
  (lap: Lap) => lap.peakProportionalMiB,
] as const;
const start = ['start to first depth at a subscriber', 'ms', (lap: Lap) => lap.startMs] as const;
const age = (p: number) =>
  [`age when published, p${p}`, 'ms', (lap: Lap) => percentile(lap.agesMs, p)] as const;
const voluntary = [
  'voluntary context switches',
  'per frame',
  (lap: Lap) => lap.switchesPerFrame,
] as const;

/** Frames of the video: enough for the fastest program. */
const videoFrames = 3600;
const pattern = (more: string) => `{ test-pattern: { width: 224, height: 224${more} } }`;

function races(): Race[] {
  const file = `{ video-file: { path: ${JSON.stringify(video(videoFrames))} } }`;
  const flood = { source: pattern(''), live: false };
  const read = { source: file, live: false };
  return [
    {
      name: 'test pattern, 1 worker',
      ...flood,
      workers: 1,
      shows: [fps, cpu, memory, proportional, start],
    },
    {
      name: 'test pattern, 2 workers',
      ...flood,
      workers: 2,
      shows: [fps, cpu, memory, proportional],
    },
    { name: '720p file, 1 worker', ...read, workers: 1, shows: [fps, cpu] },
    { name: '720p file, 2 workers', ...read, workers: 2, shows: [fps, cpu] },
    {
      name: 'live, 30 fps',
      source: pattern(', fps: 30, realtime: true'),
      live: true,
      workers: 1,
      shows: [cpu, age(50), age(99), voluntary],
    },
    {
      name: 'live, 600 fps',
      source: pattern(', fps: 600, realtime: true'),
      live: true,
      workers: 1,
      shows: [fps, age(50), age(99)],
    },
  ];
}

/**
 * Depthline against what a user would write instead, in C++ and in Python: the same launch line, model
 * and settings, one after the other in rotating order, with a subscriber.
 */
export const peers: Bench = {
  name: 'peers',
  summary: 'Depthline, and the same in C++ and in Python (bench/peers/)',
  async run({ rounds, seconds, only }, print) {
    const programs = contestants((text) => console.error(`  ${text}`));
    for (const { name, source, live, workers, shows } of races()) {
      if (!name.includes(only)) continue;
      const endpoint = `ipc://${join(tmpdir(), `depthline-peers-${process.pid}`)}`;
      const task = { source, launch: launchOf(source), live, workers, endpoint };
      const laps = new Map<Contestant, Lap[]>(programs.map((program) => [program, []]));
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < programs.length; i++) {
          const program = programs[(round + i) % programs.length] as Contestant;
          laps.get(program)?.push(await lap(program, task, seconds));
        }
      }
      for (const [what, unit, of] of shows) {
        for (const [program, its] of laps) {
          print(`${name}: ${what}, ${program.name}`, unit, measured(its.map(of)));
        }
      }
    }
  },
};
