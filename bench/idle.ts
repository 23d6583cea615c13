import { setTimeout as sleep } from 'node:timers/promises';
import { type Measured, measured } from '../src/benchmark/statistics.ts';
import { cpuMs, family } from '../src/device/processes.ts';
import { definePipeline, estimateDepth, startPipeline, testPattern, zeromq } from '../src/index.ts';
import type { Bench, BenchOptions } from './support/bench.ts';

/** The cost of a 30 fps camera pipeline without subscribers. */
export const idle: Bench = {
  name: 'idle',
  summary: 'CPU time of a 30 fps pipeline without subscribers',
  async run({ model, ...options }, print) {
    const { rounds } = options;
    const shares = { always: [] as number[], subscribers: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const demand of ['always', 'subscribers'] as const) {
        shares[demand].push(await cpuShare(model, demand, options));
      }
    }
    const percent = (values: readonly number[]): Measured => measured(values.map((v) => 100 * v));
    print('demand: always', '% of a processor', percent(shares.always));
    print('demand: subscribers', '% of a processor', percent(shares.subscribers));
  },
};

async function cpuShare(
  model: string,
  demand: 'always' | 'subscribers',
  { seconds, warmUp }: Pick<BenchOptions, 'seconds' | 'warmUp'>,
) {
  const run = await startPipeline(
    definePipeline({
      source: testPattern({ width: 224, height: 224, fps: 30, realtime: true }),
      operators: [estimateDepth({ model, tuned: 'off' })],
      sinks: [zeromq({ bind: 'tcp://127.0.0.1:*', demand })],
    }),
  );
  await sleep(warmUp * 1000);
  const pids = family();
  const before = { cpu: cpuMs(pids), at: performance.now() };
  await sleep(seconds * 1000);
  const share = (cpuMs(pids) - before.cpu) / (performance.now() - before.at);
  run.stop();
  const { error } = await run.done;
  if (error) throw error;
  return share;
}
