import { fileURLToPath } from 'node:url';
import { BareModel } from '../src/benchmark/bare-model.ts';
import { measured } from '../src/benchmark/statistics.ts';
import { estimateDepth } from '../src/index.ts';
import { findModel } from '../src/inference/model-files.ts';
import type { Bench } from './support/bench.ts';
import { pipelineRate } from './support/pipeline-rate.ts';
import { referenceHelper } from './support/reference-helper.ts';
import { type InferenceServer, startInferenceServer } from './support/start-inference-server.ts';

type Options = NonNullable<Parameters<typeof estimateDepth>[0]>;

interface Subject {
  readonly name: string;
  readonly options: (model: 'small' | 'whole') => Options;
  /** The network's own time is not in this process and its children. */
  readonly remote?: boolean;
}

/** Every engine with what it needs; each runs the network on ONNX Runtime. */
function engines(server: InferenceServer): readonly Subject[] {
  return [
    { name: 'onnxruntime', options: () => ({}) },
    {
      name: 'process',
      options: () => ({ engine: 'process', process: { command: [referenceHelper()] } }),
    },
    ...(['http', 'grpc'] as const).map((transport) => ({
      name: `kserve over ${transport}, without the server`,
      options: (model: string) => ({
        engine: 'kserve' as const,
        kserve: { url: server[transport], model },
      }),
      remote: true,
    })),
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
    const server = await startInferenceServer({
      small: (await findModel(tiny, '.')).path,
      whole: (await findModel(options.model, '.')).path,
    });
    const subjects = engines(server).map((subject) => ({
      ...subject,
      ...{ own: [] as number[], fps: [] as number[] },
    }));
    for (let round = 0; round < rounds; round++) {
      capture.push((await pipelineRate([], options)).cpuMsPerFrame);
      network.push((await bare.run(seconds)).cpuMsPerFrame);
      for (const { options: engine, remote, own, fps } of subjects) {
        const small = [estimateDepth({ model: tiny, tuned: 'off', ...engine('small') })];
        const { cpuMsPerFrame } = await pipelineRate(small, options);
        const alone = remote ? 0 : (network[round] as number);
        own.push(cpuMsPerFrame - (capture[round] as number) - alone);
        const whole = [estimateDepth({ model: options.model, tuned: 'off', ...engine('whole') })];
        fps.push((await pipelineRate(whole, options)).fps);
      }
    }
    await bare.close();
    server.close();
    print('capture and transfer of 224×224 RGB', 'ms/frame', measured(capture));
    print('the small network alone', 'ms/frame', measured(network));
    for (const { name, own } of subjects) print(`${name}: beyond that`, 'ms/frame', measured(own));
    for (const { name, fps } of subjects) print(`${name}: FastDepth`, 'fps', measured(fps));
  },
};
