import { tap } from 'rxjs';
import { measured } from '../src/benchmark/statistics.ts';
import {
  definePipeline,
  discard,
  estimateDepth,
  type Frame,
  runPipeline,
  testPattern,
  zeromq,
} from '../src/index.ts';
import { LatencyRecorder } from '../src/runtime/latency.ts';
import type { Bench } from './support/bench.ts';
import { pipelineRate } from './support/pipeline-rate.ts';

/** A camera at three times the rate of the network: how old is depth when it is published? */
export const freshness: Bench = {
  name: 'freshness',
  summary: 'age of published depth, with a camera at 3× the rate of the network',
  async run({ model, ...options }, print) {
    const { rounds, seconds } = options;
    const rate = await pipelineRate([estimateDepth({ model, tuned: 'off' })], options);
    const results: Awaited<ReturnType<typeof ages>>[] = [];
    for (let round = 0; round < rounds; round++) {
      results.push(await ages(model, Math.round(3 * rate.fps), seconds));
    }
    const all = (of: keyof (typeof results)[number]) =>
      measured(results.map((result) => result[of]));
    print('time of the network, p50', 'ms', all('inferenceMs'));
    print('age when published, p50', 'ms', all('p50'));
    print('age when published, p99', 'ms', all('p99'));
    print('age p99 / time of the network', '', all('p99InInferences'));
    print('frames of the camera that were skipped', '%', all('leftOut'));
  },
};

async function ages(model: string, fps: number, seconds: number) {
  const times = new LatencyRecorder();
  const pipeline = definePipeline({
    name: 'freshness',
    source: testPattern({ width: 224, height: 224, fps, realtime: true }),
    operators: [
      estimateDepth({ model, tuned: 'off' }),
      tap((frame: Frame) => times.record(frame.timings?.['estimate-depth'] ?? 0)),
    ],
    sinks: [
      {
        name: 'topic',
        sink: zeromq({ bind: 'tcp://127.0.0.1:*' }),
        queue: { limit: 1, whenFull: 'drop-oldest' },
      },
      discard(),
    ],
  });
  const summary = await runPipeline(pipeline, { durationMs: seconds * 1000 });
  const topic = summary.branches.find(({ name }) => name === 'topic');
  const latency = topic?.latencyMs;
  const inference = times.percentiles();
  if (!topic || !latency || !inference) throw new Error('no frame was published');
  return {
    inferenceMs: inference.p50,
    p50: latency.p50,
    p99: latency.p99,
    p99InInferences: latency.p99 / inference.p50,
    leftOut: 100 * (1 - topic.delivered / topic.captured),
  };
}
