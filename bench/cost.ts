import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BareModel, type Rate } from '../src/benchmark/bare-model.ts';
import { measured } from '../src/benchmark/statistics.ts';
import { estimateDepth } from '../src/index.ts';
import { bareTransfer } from './support/bare-transfer.ts';
import type { Bench } from './support/bench.ts';
import { pipelineRate } from './support/pipeline-rate.ts';

/**
 * The framework's own CPU time per frame, of all processes; the share of GStreamer for drawing the test
 * pattern, which replaces a camera, is shown separately. The network has three weights, so that the rest
 * is not the small difference of two large figures.
 */
export const cost: Bench = {
  name: 'cost',
  summary: 'CPU time per frame of everything but the network',
  async run(options, print) {
    const { rounds, seconds } = options;
    const model = fileURLToPath(new URL('./support/weigh-channels.yaml', import.meta.url));
    const bare = await BareModel.open({ model });
    const source: Rate[] = [];
    const whole: Rate[] = [];
    const inference: Rate[] = [];
    for (let round = 0; round < rounds; round++) {
      source.push(await pipelineRate([], options));
      whole.push(await pipelineRate([estimateDepth({ model, tuned: 'off' })], options));
      inference.push(await bare.run(seconds));
    }
    await bare.close();
    const cpu = (rates: readonly { cpuMsPerFrame: number }[]) =>
      measured(rates.map(({ cpuMsPerFrame }) => cpuMsPerFrame));
    print('capture and transfer of 224×224 RGB', 'ms/frame', cpu(source));
    print('with a network of three weights', 'ms/frame', cpu(whole));
    print('that network alone, in a bare loop', 'ms/frame', cpu(inference));
    const own = whole.map(
      (rate, i) => rate.cpuMsPerFrame - (inference[i]?.cpuMsPerFrame as number),
    );
    print('CPU time of the framework and the test pattern', 'ms/frame', measured(own));
    for (const fps of [100, undefined]) {
      const transfers: Rate[] = [];
      for (let round = 0; round < rounds; round++) {
        transfers.push(await bareTransfer(frameBytes, seconds, fps));
      }
      const speed = fps === undefined ? 'at full speed' : `at ${fps} fps`;
      print(`bytes of a frame between two processes, ${speed}`, 'ms/frame', cpu(transfers));
    }
    const pattern = measured(Array.from({ length: rounds }, patternMs));
    print('the test pattern alone', 'ms/frame', pattern);
    print('CPU time of the framework', 'ms/frame', measured(own.map((ms) => ms - pattern.median)));
  },
};

/** A picture of 224×224 as it comes from the capture process: with its GDP header and two stamps. */
const frameBytes = 224 * 224 * 3 + 62 + 16;

/** Drawing the pattern keeps one thread busy, so its time is its CPU time. */
function patternMs(): number {
  const [few, many] = [500, 4500].map((frames) => {
    const line = `videotestsrc pattern=ball num-buffers=${frames} ! video/x-raw,format=RGB,width=224,height=224 ! fakesink`;
    const start = performance.now();
    execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')]);
    return performance.now() - start;
  }) as [number, number];
  return (many - few) / 4000;
}
