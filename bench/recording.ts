import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { map } from 'rxjs';
import { measured } from '../src/benchmark/statistics.ts';
import type { Frame, ImageFrame } from '../src/core/frame.ts';
import { mainThreadMs } from '../src/device/processes.ts';
import {
  definePipeline,
  discard,
  mcap,
  mcapSource,
  runPipeline,
  testPattern,
} from '../src/index.ts';
import { testContext } from '../src/testing.ts';
import type { Bench, Print } from './support/bench.ts';
import { noisyDepth, noisySize } from './support/noisy-rooms.ts';
import { rooms } from './support/rooms.ts';

const frames = 60;

type Options = Parameters<typeof mcap>[0] & object;

/** What a recording of a picture and its depth costs, and how well a replay keeps its times. */
export const recording: Bench = {
  name: 'recording',
  summary:
    'MCAP files: size and CPU time per 224×224 picture with its depth; intervals of a replay',
  async run({ rounds, model, seconds, only }, print) {
    const folder = mkdtempSync(join(tmpdir(), 'depthline-recording-'));
    try {
      const [small, big] = [named(kinds, only), named(largeKinds, only)];
      if (small.length > 0)
        await sizes(small, await noisyDepth(frames, model), folder, rounds, print);
      if (big.length > 0) await sizes(big, large(), folder, rounds, print);
      if (replay.includes(only)) await intervals(folder, Math.max(4, seconds), rounds, print);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const kinds: Readonly<Record<string, Partial<Options>>> = {
  'none, raw, 32FC1': { compression: 'none' },
  'lz4, raw, 32FC1': { compression: 'lz4' },
  'zstd, raw, 32FC1': { compression: 'zstd' },
  'lz4, raw, 16UC1': { compression: 'lz4', depth: '16UC1' },
  'zstd, raw, 16UC1': { compression: 'zstd', depth: '16UC1' },
  'zstd, png, 32FC1': { pictures: 'png' },
  'zstd, jpeg, 32FC1': { pictures: 'jpeg' },
  'zstd, jpeg, 16UC1': { pictures: 'jpeg', depth: '16UC1' },
  'zstd, jpeg, 16UC1, foxglove': { pictures: 'jpeg', depth: '16UC1', encoding: 'foxglove' },
  'zstd, raw, 32FC1, foxglove': { encoding: 'foxglove' },
};

const largeKinds: Readonly<Record<string, Partial<Options>>> = {
  '1280×720, none, raw': { compression: 'none' },
  '1280×720, lz4, raw': { compression: 'lz4' },
  '1280×720, zstd, raw': { compression: 'zstd' },
  '1280×720, zstd, jpeg': { pictures: 'jpeg' },
};

type Kinds = readonly (readonly [name: string, options: Partial<Options>])[];

function named(kinds: Readonly<Record<string, Partial<Options>>>, text: string): Kinds {
  return Object.entries(kinds).filter(([name]) => name.includes(text));
}

const replay = 'replay at speed 1: interval error';

/** Pictures of a camera, as `--record` writes them. */
function large(): ImageFrame[] {
  const shoot = rooms();
  const pictures = [0, 1, 2, 3].map((index) => {
    const { truth: _, ...picture } = shoot(index);
    return picture;
  });
  return Array.from({ length: 40 }, (_, seq) => ({
    ...(pictures[seq % 4] as ImageFrame),
    ...{ seq, pts: BigInt(seq), capturedAt: BigInt(seq) },
  }));
}

async function sizes(
  kinds: Kinds,
  all: readonly Frame[],
  folder: string,
  rounds: number,
  print: Print,
) {
  for (const [name, options] of kinds) {
    const bytes: number[] = [];
    const cpu: number[] = [];
    const main: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const path = join(folder, 'size.mcap');
      const context = testContext({ name: 'mcap', baseDirectory: folder });
      const sink = await mcap.create(mcap.options.parse({ path, ...options }), context);
      const [before, mainBefore] = [process.cpuUsage(), mainThreadMs()];
      for (const frame of all) await sink?.write(frame);
      await context.close();
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000 / all.length);
      main.push((mainThreadMs() - mainBefore) / all.length);
      bytes.push(statSync(path).size / 1000 / all.length);
      rmSync(path);
    }
    print(`${name}: size`, 'kB per frame', measured(bytes));
    print(`${name}: CPU time`, 'ms per frame', measured(cpu));
    print(`${name}: of it on the main thread`, 'ms per frame', measured(main));
  }
}

async function intervals(folder: string, seconds: number, rounds: number, print: Print) {
  const errors: number[] = [];
  const worst: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const path = join(folder, `times-${round}.mcap`);
    await runPipeline(
      definePipeline({
        source: testPattern({ ...noisySize, fps: 30, realtime: true }),
        sinks: [mcap({ path })],
      }),
      { durationMs: seconds * 1000 },
    );
    const seen: { at: number; pts: bigint }[] = [];
    await runPipeline(
      definePipeline({
        source: mcapSource({ path, pace: 'recorded' }),
        operators: [
          map((frame) => {
            seen.push({ at: performance.now(), pts: frame.pts });
            return frame;
          }),
        ],
        sinks: [discard()],
      }),
    );
    const off = seen.slice(1).map(({ at, pts }, i) => {
      const last = seen[i] as (typeof seen)[number];
      return Math.abs(at - last.at - Number(pts - last.pts) / 1e6);
    });
    errors.push(measured(off).median);
    worst.push(off.toSorted((a, b) => a - b)[Math.floor(off.length * 0.99)] as number);
  }
  print(`${replay}, median`, 'ms', measured(errors));
  print(`${replay}, p99`, 'ms', measured(worst));
  if (readdirSync(folder).length !== rounds) throw new Error('a recording is missing');
}
