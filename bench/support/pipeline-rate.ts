import { tap } from 'rxjs';
import type { Rate } from '../../src/benchmark/bare-model.ts';
import { cpuMs, family } from '../../src/device/processes.ts';
import {
  definePipeline,
  discard,
  type Frame,
  type OperatorInput,
  startPipeline,
  testPattern,
} from '../../src/index.ts';
import type { BenchOptions } from './bench.ts';

/** Before any measurement the queues must be full. */
const leastFrames = 60;

/** Speed and CPU time of a pipeline on a test pattern of 224 × 224, after it has warmed up. */
export async function pipelineRate(
  operators: readonly OperatorInput[],
  { seconds, warmUp }: Pick<BenchOptions, 'seconds' | 'warmUp'>,
): Promise<Rate> {
  let pids: number[] = [];
  let seen = 0;
  let seenBefore = 0;
  let firstAt = 0;
  let startedAt: number | undefined;
  let startCpu = 0;
  let rate: Rate | undefined;
  const measure = tap<Frame>(() => {
    const now = performance.now();
    if (seen++ === 0) firstAt = now;
    if (startedAt === undefined) {
      if (seen < leastFrames || now - firstAt < warmUp * 1000) return;
      seenBefore = seen;
      pids = family();
      startCpu = cpuMs(pids);
      startedAt = performance.now();
      return;
    }
    const elapsed = now - startedAt;
    if (rate || elapsed < seconds * 1000) return;
    const frames = seen - seenBefore;
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
