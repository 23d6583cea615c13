import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Subscriber } from 'zeromq';
import { measured } from '../src/benchmark/statistics.ts';
import { cpuMs, family } from '../src/device/processes.ts';
import {
  definePipeline,
  discard,
  estimateDepth,
  startPipeline,
  testPattern,
  zeromq,
} from '../src/index.ts';
import type { Bench } from './support/bench.ts';
import { until } from './support/until.ts';

const fps = 10;
const model = fileURLToPath(new URL('./support/weigh-channels.yaml', import.meta.url));

/** Cost of each further camera and each further reader. */
export const scaling: Bench = {
  name: 'scaling',
  summary: `cameras of ${fps} fps with a network of three weights, and subscribers of a topic`,
  async run({ rounds, seconds }, print) {
    for (const how of ['in one process', 'a process each'] as const) {
      for (const count of [1, 2, 4, 8]) {
        const results = [];
        for (let round = 0; round < rounds; round++)
          results.push(await cameras(count, how, seconds));
        const name = `${count} cameras ${how}`;
        print(`${name}: CPU time`, 'ms per frame', measured(results.map(({ cpu }) => cpu)));
        print(
          `${name}: frames of the slowest / of the fastest`,
          '',
          measured(results.map(({ fairness }) => fairness)),
        );
      }
    }
    for (const count of [1, 4, 16, 64]) {
      const results = [];
      for (let round = 0; round < rounds; round++) results.push(await subscribers(count, seconds));
      const name = `${count} subscribers`;
      print(
        `${name}: CPU time of all, readers too`,
        'ms per message',
        measured(results.map(({ cpu }) => cpu)),
      );
      print(
        `${name}: messages of the slowest / of the fastest`,
        '',
        measured(results.map(({ fairness }) => fairness)),
      );
    }
  },
};

/** Starts one camera; `frames()` have come through the network so far. */
async function camera() {
  const run = await startPipeline(
    definePipeline({
      source: testPattern({ width: 224, height: 224, fps, realtime: true }),
      operators: [estimateDepth({ model, tuned: 'off' })],
      sinks: [discard()],
    }),
  );
  return { frames: () => run.stats().processed, stop: () => run.stop(), done: run.done };
}

async function cameras(count: number, how: 'in one process' | 'a process each', seconds: number) {
  const started =
    how === 'in one process'
      ? await Promise.all(Array.from({ length: count }, camera))
      : await Promise.all(Array.from({ length: count }, cameraProcess));
  await until(() => started.every(({ frames }) => frames() > fps), 60_000);
  const pids = family();
  const before = { cpu: cpuMs(pids), frames: started.map(({ frames }) => frames()) };
  await sleep(seconds * 1000);
  const cpu = cpuMs(pids) - before.cpu;
  const frames = started.map((one, i) => one.frames() - (before.frames[i] as number));
  for (const one of started) one.stop();
  await Promise.all(started.map(({ done }) => done));
  return share(cpu, frames);
}

/** The same in a process of its own, which reports its frames. */
async function cameraProcess() {
  const child = fork(fileURLToPath(new URL('./support/camera-process.ts', import.meta.url)), {
    execArgv: ['--initial-old-space-size=256', '--import', 'tsx'],
  });
  let frames = 0;
  child.on('message', (count: number) => {
    frames = count;
  });
  await once(child as ChildProcess, 'message');
  return { frames: () => frames, stop: () => void child.send('stop'), done: once(child, 'exit') };
}

async function subscribers(count: number, seconds: number) {
  const zmq = await import('zeromq');
  const run = await startPipeline(
    definePipeline({
      source: testPattern({ width: 224, height: 224, fps: 30, realtime: true }),
      operators: [estimateDepth({ model, tuned: 'off' })],
      sinks: [zeromq({ bind: 'ipc:///tmp/depthline-scaling', 'high-water-mark': 30 })],
    }),
  );
  const received = new Array<number>(count).fill(0);
  const readers = Array.from({ length: count }, (_, i): Subscriber => {
    const reader = new zmq.Subscriber({ linger: 0 });
    reader.connect('ipc:///tmp/depthline-scaling');
    reader.subscribe();
    const read = async () => {
      for await (const _message of reader) received[i] = (received[i] as number) + 1;
    };
    void read();
    return reader;
  });
  await until(() => received.every((n) => n > 5), 60_000);
  const pids = family();
  const before = { cpu: cpuMs(pids), received: [...received] };
  await sleep(seconds * 1000);
  const cpu = cpuMs(pids) - before.cpu;
  const messages = received.map((n, i) => n - (before.received[i] as number));
  for (const reader of readers) reader.close();
  run.stop();
  await run.done;
  return share(cpu, messages);
}

function share(cpu: number, counts: readonly number[]) {
  const all = counts.reduce((sum, n) => sum + n, 0);
  return { cpu: cpu / all, fairness: Math.min(...counts) / Math.max(...counts) };
}
