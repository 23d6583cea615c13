import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measured } from '../src/benchmark/statistics.ts';
import type { Sink } from '../src/core/component.ts';
import type { DepthFrame, Frame } from '../src/core/frame.ts';
import { cpuMs } from '../src/device/processes.ts';
import {
  definePipeline,
  discard,
  nats,
  natsSource,
  runPipeline,
  subscribeDepth,
  syntheticRoom,
  zeromq,
} from '../src/index.ts';
import { depthFrame, type TestContext, testContext } from '../src/testing.ts';
import { type NatsServer, natsClient, startNats } from '../test/support/nats-server.ts';
import type { Bench, Print } from './support/bench.ts';
import { until } from './support/until.ts';

const fps = 30;
const size = 224;
const encodings = ['32FC1', '16UC1-deflate'] as const;
type Encoding = (typeof encodings)[number];

/** A publisher and a reader in this process, with a server between them or none. */
interface Link {
  readonly sink: Sink;
  /** Time from `write` to the decoded frame, milliseconds, of those that have arrived. */
  readonly latencies: number[];
  close(): Promise<void>;
}

/** What a message of depth costs on NATS beside ZeroMQ, and what it takes when a worker is killed. */
export const natsBench: Bench = {
  name: 'nats',
  summary:
    'depth of 224×224 on NATS, live and stored, beside ZeroMQ; three workers, one of them killed',
  async run({ rounds, seconds, only }, print) {
    const server = await startNats();
    const links = {
      ZeroMQ: (encoding: Encoding) => overZeromq(encoding),
      'NATS live': (encoding: Encoding) => overNats(server, 'live', encoding),
      'NATS stored': (encoding: Encoding) => overNats(server, 'stored', encoding),
    };
    const wanted = (name: string) => name.toLowerCase().includes(only.toLowerCase());
    for (const encoding of encodings.filter((one) => wanted(`links ${one}`))) {
      const results = new Map<string, Result[]>();
      for (let round = 0; round < rounds; round++) {
        for (const [name, open] of Object.entries(links)) {
          const result = await measure(await open(encoding), server, seconds);
          results.set(name, [...(results.get(name) ?? []), result]);
        }
      }
      for (const [name, all] of results) report(`${name}, ${encoding}`, all, print);
    }
    await server.stop();
    if (wanted('workers')) await workers(rounds, print);
  },
};

interface Result {
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly serverCpu: number;
  readonly rate: number;
}

function report(name: string, all: readonly Result[], print: Print): void {
  const of = (key: keyof Result) => measured(all.map((one) => one[key]));
  print(`${name}: write to decoded frame, ${fps} fps, p50`, 'ms', of('p50'));
  print(`${name}: the same, p99`, 'ms', of('p99'));
  print(`${name}: CPU time of publisher and reader`, 'ms/message', of('cpu'));
  if (!name.startsWith('ZeroMQ'))
    print(`${name}: CPU time of the server`, 'ms/message', of('serverCpu'));
  print(`${name}: as fast as it goes`, 'messages/s', of('rate'));
}

/** A plane with noise, so that it compresses as depth does. */
function sample(seq: number): DepthFrame {
  return depthFrame(size, size, seq, (x, y) => {
    const noise = Math.sin(x * 12.9898 + y * 78.233 + seq) * 43_758.5453;
    return 1 + x / 200 + y / 300 + (noise - Math.floor(noise)) / 300;
  });
}

async function measure(link: Link, server: NatsServer, seconds: number): Promise<Result> {
  const frames = Array.from({ length: 16 }, (_, seq) => sample(seq));
  let seq = 0;
  const next = (): Frame => {
    const frame = frames[seq % frames.length] as DepthFrame;
    return { ...frame, seq, pts: BigInt(seq++), capturedAt: now() };
  };
  // Until the reader is there.
  while (link.latencies.length < 10) {
    await link.sink.write(next());
    await sleep(10);
  }
  await sleep(200);
  link.latencies.length = 0;
  const before = [cpuMs([process.pid]), cpuMs([server.pid])] as const;
  const count = Math.round(fps * seconds);
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, start + (n * 1000) / fps - performance.now()));
    await link.sink.write(next());
  }
  await sleep(300);
  const after = [cpuMs([process.pid]), cpuMs([server.pid])] as const;
  const sorted = link.latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const fast = performance.now();
  let written = 0;
  while (performance.now() - fast < 1000) {
    await link.sink.write(next());
    written++;
  }
  const rate = (1000 * written) / (performance.now() - fast);
  await link.close();
  return {
    p50: at(0.5),
    p99: at(0.99),
    cpu: (after[0] - before[0]) / count,
    serverCpu: (after[1] - before[1]) / count,
    rate,
  };
}

function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}

async function overZeromq(encoding: Encoding): Promise<Link> {
  const context = testContext();
  const options = zeromq.options.parse({
    bind: 'tcp://127.0.0.1:*',
    encoding,
    'high-water-mark': 64,
  });
  const sink = (await zeromq.create(options, context)) as Sink;
  const stop = new AbortController();
  const latencies: number[] = [];
  const reading = (async () => {
    const endpoint = context.report().endpoint as string;
    for await (const { capturedAt } of subscribeDepth(endpoint, { signal: stop.signal }))
      latencies.push(Number(now() - capturedAt) / 1e6);
  })();
  return {
    sink,
    latencies,
    close: async () => {
      stop.abort();
      await reading;
      await context.close();
    },
  };
}

let streams = 0;

async function overNats(
  server: NatsServer,
  delivery: 'live' | 'stored',
  encoding: Encoding,
): Promise<Link> {
  const name = `BENCH${streams++}`;
  const target = { servers: server.url, subject: `bench.${name}` };
  const contexts: TestContext[] = [testContext(), testContext()];
  const [writer, reader] = contexts as [TestContext, TestContext];
  const stored = delivery === 'stored';
  const sink = (await nats.create(
    nats.options.parse({ ...target, delivery, encoding, ...(stored && { stream: { name } }) }),
    writer,
  )) as Sink;
  const latencies: number[] = [];
  const source = await natsSource.create(
    natsSource.options.parse({
      ...target,
      ...(stored && { consumer: { stream: name, durable: 'bench', ahead: 16 } }),
    }),
    reader,
  );
  const subscription = source.subscribe(({ capturedAt }) => {
    latencies.push(Number(now() - capturedAt) / 1e6);
  });
  return {
    sink,
    latencies,
    close: async () => {
      subscription.unsubscribe();
      for (const context of contexts) await context.close();
      if (!stored) return;
      const { nats: client, manager } = await natsClient(server);
      await manager.streams.delete(name);
      await client.close();
    },
  };
}

const cameraFps = 10;
const frames = 150;

/** The three files of examples/, with FastDepth in three processes. */
async function workers(rounds: number, print: Print): Promise<void> {
  const ages: number[] = [];
  const worst: number[] = [];
  const oldest: number[] = [];
  const inOrder: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await startNats();
    const { nats: client, manager } = await natsClient(server);
    const target = { servers: server.url, delivery: 'stored' as const };
    const shooting = runPipeline(
      definePipeline({
        source: syntheticRoom({
          ...{ width: size, height: size, fps: cameraFps, realtime: true, frames },
        }),
        sinks: [
          nats({
            ...target,
            subject: 'depthline.pictures.front',
            stream: {
              name: 'PICTURES',
              subjects: ['depthline.pictures.*'],
              retention: 'work-queue',
            },
          }),
        ],
      }),
    );
    const there = () => manager.streams.info('PICTURES').catch(() => undefined);
    while (!(await there())) await sleep(20);
    const all = [0, 1, 2].map(() => startWorker(server.url));
    const depth = () => manager.streams.info('DEPTH').catch(() => undefined);
    while (((await depth())?.state.messages ?? 0) < 30) await sleep(50);
    await killWithPictures(all[0] as ChildProcess, async () => {
      const { num_ack_pending } = await manager.consumers.info('PICTURES', 'workers');
      return num_ack_pending;
    });
    const seen: { seq: number; ageMs: number }[] = [];
    const collected = runPipeline(
      definePipeline({
        source: natsSource({
          ...{ servers: server.url, subject: 'depthline.depth.front' },
          consumer: { stream: 'DEPTH', durable: 'collector' },
          order: { deadline: '20s' },
        }),
        sinks: [discard()],
      }),
      {
        frames,
        onFrame: ({ origin, capturedAt }, branch) => {
          if (branch !== undefined) return;
          seen.push({ seq: origin?.seq ?? -1, ageMs: Number(now() - capturedAt) / 1e6 });
        },
      },
    );
    await Promise.all([shooting, collected]);
    const live = seen.filter(({ seq }) => seq >= 25).map(({ ageMs }) => ageMs);
    const sorted = live.toSorted((a, b) => a - b);
    ages.push(sorted[sorted.length >> 1] as number);
    worst.push(sorted[Math.floor(sorted.length * 0.99)] as number);
    oldest.push(sorted.at(-1) as number);
    inOrder.push(seen.filter(({ seq }, i) => seq === i).length);
    for (const one of all) one.kill('SIGKILL');
    await until(() => all.every(({ exitCode, signalCode }) => exitCode ?? signalCode));
    await client.close();
    await server.stop();
  }
  print(`3 workers, one killed: frames in order, of ${frames}`, '', measured(inOrder));
  print(`age at the collector, camera of ${cameraFps} fps, p50`, 'ms', measured(ages));
  print('the same, p99', 'ms', measured(worst));
  print('the same, the oldest', 'ms', measured(oldest));
}

/** Kills a worker that has pictures in hand, which only another one can work on later. */
async function killWithPictures(
  worker: ChildProcess,
  inHand: () => Promise<number>,
): Promise<void> {
  worker.kill('SIGSTOP');
  // What the others take is back within milliseconds.
  for (let times = 0; times < 4; ) {
    times = (await inHand()) > 0 ? times + 1 : 0;
    await sleep(50);
  }
  worker.kill('SIGKILL');
}

function startWorker(url: string): ChildProcess {
  const bin = fileURLToPath(new URL('../bin/depthline', import.meta.url));
  const file = fileURLToPath(new URL('../examples/fleet-worker.yaml', import.meta.url));
  const env = { ...process.env, NATS_SERVER: url };
  return spawn(process.execPath, [bin, 'run', file], { stdio: 'ignore', env });
}
