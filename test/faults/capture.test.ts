import { setTimeout as sleep } from 'node:timers/promises';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { Random } from '../../src/synthetic/random.ts';
import { captureHosts, until } from '../support/gstreamer.ts';

/** A hundred in the long form: FAULT_ROUNDS=1000 npx vitest run test/faults */
const kills = Number(process.env.FAULT_ROUNDS ?? 100) / 10;
const restart = { limit: 10_000, 'max-delay': '1ms' };

describe('a capture process that is killed at random instants, also while it starts', () => {
  it(`${kills} times: a camera goes on, and every frame is accounted for`, async () => {
    const random = new Random(1);
    const seen: Frame[] = [];
    const pipeline = definePipeline({
      source: testPattern({ width: 64, height: 48, fps: 100, realtime: true, restart }),
      operators: [tap<Frame>((frame) => seen.push(frame))],
      sinks: [discard()],
    });
    const run = await startPipeline(pipeline);
    await until(() => seen.length > 0);
    for (let n = 0; n < kills; n++) {
      await sleep(random.range(0, 250));
      await until(() => captureHosts().length > 0);
      for (const pid of captureHosts()) process.kill(pid, 'SIGKILL');
    }
    const before = seen.length;
    await until(() => seen.length > before + 10);
    run.stop();
    const { branches, error } = await run.done;
    expect(error).toBeUndefined();
    expect(branches.map(imbalance)).toEqual([0]);
    expect(captureHosts()).toEqual([]);
    const rising = (values: readonly bigint[]) =>
      values.every((value, i) => i === 0 || value > (values[i - 1] as bigint));
    expect(rising(seen.map(({ pts }) => pts))).toBe(true);
    expect(rising(seen.map(({ seq }) => BigInt(seq)))).toBe(true);
  }, 200_000);
});
