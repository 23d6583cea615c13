import { tap } from 'rxjs';
import type { Rate } from '../../src/benchmark/bare-model.ts';
import { cpuMs, family } from '../../src/benchmark/processes.ts';
import {
  definePipeline,
  discard,
  type Frame,
  type OperatorInput,
  startPipeline,
  testPattern,
} from '../../src/index.ts';

/** Frames before the measurement: queues fill, code is compiled, buffers are made. */
const warmUp = 60;

/** Speed and CPU time of a pipeline on a test pattern of 224 × 224, after it has warmed up. */
export async function pipelineRate(
  operators: readonly OperatorInput[],
  seconds: number,
): Promise<Rate> {
  let pids: number[] = [];
  let seen = 0;
  let startedAt = 0;
  let startCpu = 0;
  let rate: Rate | undefined;
  const measure = tap<Frame>(() => {
    seen++;
    if (seen === warmUp) {
      pids = family();
      startCpu = cpuMs(pids);
      startedAt = performance.now();
    }
    const elapsed = performance.now() - startedAt;
    if (seen <= warmUp || rate || elapsed < seconds * 1000) return;
    const frames = seen - warmUp;
    rate = {
      fps: (1000 * frames) / elapsed,
      cpuMsPerFrame: (cpuMs(pids) - startCpu) / frames,
    };
    run.stop();
  });
  const pipeline = definePipeline({
    name: 'bench',
    source: testPattern({ width: 224, height: 224 }),
    operators: [...operators, measure],
    sinks: [discard()],
  });
  const run = await startPipeline(pipeline);
  const summary = await run.done;
  if (summary.error) throw summary.error;
  if (!rate) throw new Error(`the pipeline ended after ${seen} frames`);
  return rate;
}
