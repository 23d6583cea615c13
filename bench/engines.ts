import { fileURLToPath } from 'node:url';
import { BareModel } from '../src/benchmark/bare-model.ts';
import { measured } from '../src/benchmark/statistics.ts';
import { estimateDepth } from '../src/index.ts';
import type { Bench } from './support/bench.ts';
import { pipelineRate } from './support/pipeline-rate.ts';
import { referenceHelper } from './support/reference-helper.ts';

type Options = NonNullable<Parameters<typeof estimateDepth>[0]>;

/** Every engine with what it needs; each runs the network on ONNX Runtime. */
function engines(): readonly (readonly [name: string, options: Options])[] {
  return [
    ['onnxruntime', {}],
    ['process', { engine: 'process', process: { command: [referenceHelper()] } }],
  ];
}

/**
 * What each engine costs beyond the network: CPU time per frame of all processes with a network of three weights,
 * less that of the network alone and of capture, and the speed with FastDepth.
 */
export const enginesBench: Bench = {
  name: 'engines',
  summary: 'own CPU time per frame of each engine, and its speed',
  async run(options, print) {
    const { rounds, seconds } = options;
    const tiny = fileURLToPath(new URL('./support/weigh-channels.yaml', import.meta.url));
    const bare = await BareModel.open({ model: tiny });
    const capture: number[] = [];
    const network: number[] = [];
    const subjects = engines().map(([name, engine]) => ({
      ...{ name, engine },
      ...{ own: [] as number[], fps: [] as number[] },
    }));
    for (let round = 0; round < rounds; round++) {
      capture.push((await pipelineRate([], options)).cpuMsPerFrame);
      network.push((await bare.run(seconds)).cpuMsPerFrame);
      for (const { engine, own, fps } of subjects) {
        const small = [estimateDepth({ model: tiny, tuned: 'off', ...engine })];
        const { cpuMsPerFrame } = await pipelineRate(small, options);
        own.push(cpuMsPerFrame - (capture[round] as number) - (network[round] as number));
        const whole = [estimateDepth({ model: options.model, tuned: 'off', ...engine })];
        fps.push((await pipelineRate(whole, options)).fps);
      }
    }
    await bare.close();
    print('capture and transfer of 224×224 RGB', 'ms/frame', measured(capture));
    print('the small network alone', 'ms/frame', measured(network));
    for (const { name, own } of subjects) print(`${name}: beyond that`, 'ms/frame', measured(own));
    for (const { name, fps } of subjects) print(`${name}: FastDepth`, 'fps', measured(fps));
  },
};
