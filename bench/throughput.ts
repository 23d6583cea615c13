import { BareModel, type Rate } from '../src/benchmark/bare-model.ts';
import { measured } from '../src/benchmark/statistics.ts';
import { estimateDepth } from '../src/index.ts';
import type { Bench } from './support/bench.ts';
import { pipelineRate } from './support/pipeline-rate.ts';

/**
 * A pipeline test-pattern → estimate-depth → discard and the same model in a bare loop, in turn. Each round is compared with the bare loop before and after it.
 */
export const throughput: Bench = {
  name: 'throughput',
  summary: 'frames per second of a pipeline, as a share of the bare model’s',
  async run({ model, ...options }, print) {
    const { rounds, seconds } = options;
    for (const workers of [1, 2]) {
      const bare = await BareModel.open({ model, workers });
      const operators = [estimateDepth({ model, workers, tuned: 'off' })];
      const limits = [await bare.run(seconds)];
      const rates: Rate[] = [];
      for (let round = 0; round < rounds; round++) {
        rates.push(await pipelineRate(operators, options));
        limits.push(await bare.run(seconds));
      }
      await bare.close();
      const beside = (i: number, of: 'fps' | 'cpuMsPerFrame') =>
        ((limits[i]?.[of] as number) + (limits[i + 1]?.[of] as number)) / 2;
      const name = `${workers} worker${workers > 1 ? 's' : ''}`;
      print(`${name}: bare model`, 'fps', measured(limits.map(({ fps }) => fps)));
      print(`${name}: pipeline`, 'fps', measured(rates.map(({ fps }) => fps)));
      print(
        `${name}: pipeline / bare`,
        '',
        measured(rates.map(({ fps }, i) => fps / beside(i, 'fps'))),
      );
      print(
        `${name}: CPU time besides inference`,
        'ms/frame',
        measured(rates.map(({ cpuMsPerFrame }, i) => cpuMsPerFrame - beside(i, 'cpuMsPerFrame'))),
      );
    }
  },
};
