import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, measured } from '../src/benchmark/statistics.ts';
import { cpuMs, family } from '../src/device/processes.ts';
import {
  definePipeline,
  estimateDepth,
  startPipeline,
  testPattern,
  web,
  zeromq,
} from '../src/index.ts';
import { RunService } from '../src/serve/run-service.ts';
import type { Bench, BenchOptions } from './support/bench.ts';

/** How a pipeline is run, and how often its metrics are asked for. */
interface Case {
  readonly name: string;
  readonly demand: 'always' | 'subscribers' | 'viewers';
  readonly serve?: true;
  readonly scrapeEveryMs?: number;
}

const cases: readonly Case[] = [
  { name: 'demand: always', demand: 'always' },
  { name: 'demand: always, served, nobody asks', demand: 'always', serve: true },
  { name: 'demand: subscribers', demand: 'subscribers' },
  { name: 'demand: subscribers, served, nobody asks', demand: 'subscribers', serve: true },
  {
    name: 'demand: subscribers, served, metrics read every 5 s',
    demand: 'subscribers',
    serve: true,
    scrapeEveryMs: 5000,
  },
  { name: 'web, no page open', demand: 'viewers' },
];

/** The cost of a 30 fps camera pipeline without subscribers. */
export const idle: Bench = {
  name: 'idle',
  summary: 'CPU time of a 30 fps pipeline without subscribers, also with the server of metrics',
  async run({ model, ...options }, print) {
    const shares = cases.map((): number[] => []);
    for (let round = 0; round < options.rounds; round++) {
      for (const [i, one] of cases.entries()) shares[i]?.push(await cpuShare(model, one, options));
    }
    const percent = (values: readonly number[]): Measured => measured(values.map((v) => 100 * v));
    for (const [i, { name }] of cases.entries())
      print(name, '% of a processor', percent(shares[i] as number[]));
  },
};

async function cpuShare(
  model: string,
  { demand, serve, scrapeEveryMs }: Case,
  { seconds, warmUp }: Pick<BenchOptions, 'seconds' | 'warmUp'>,
) {
  const service = serve && (await openService());
  const run = await startPipeline(
    definePipeline({
      source: testPattern({ width: 224, height: 224, fps: 30, realtime: true }),
      operators: [estimateDepth({ model, tuned: 'off' })],
      sinks: [
        demand === 'viewers'
          ? web({ port: 0, demand })
          : zeromq({ bind: 'tcp://127.0.0.1:*', demand }),
      ],
    }),
    service ? { observer: service.observer } : {},
  );
  service?.attach(run);
  const read = async () => (await fetch(`${service?.address}metrics`)).text();
  const reader = scrapeEveryMs === undefined ? undefined : setInterval(read, scrapeEveryMs);
  await sleep(warmUp * 1000);
  const pids = family();
  const before = { cpu: cpuMs(pids), at: performance.now() };
  await sleep(seconds * 1000);
  const share = (cpuMs(pids) - before.cpu) / (performance.now() - before.at);
  clearInterval(reader);
  run.stop();
  const { error } = await run.done;
  await service?.close();
  if (error) throw error;
  return share;
}

function openService(): Promise<RunService> {
  const versions = { version: '', node: '', onnxruntime: '' };
  return RunService.open({ host: '127.0.0.1', port: 0, versions, warn: console.error });
}
