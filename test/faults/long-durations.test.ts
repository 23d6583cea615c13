import { afterEach, describe, expect, it, vi } from 'vitest';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import type { RunOptions } from '../../src/runtime/run-handle.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { zeromq } from '../../src/sources/zeromq.ts';
import { depthFrame } from '../support/frames.ts';
import { ticker } from '../support/parts.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

afterEach(() => vi.restoreAllMocks());

const day = 86_400_000;

/** A timer of Node's that is longer than 24.8 days ends at once; it is used for none of these. */
async function runThree(source: PipelineInput['source'], options: RunOptions = {}) {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const summary = await runPipeline(definePipeline({ source, sinks: [discard()] }), {
    frames: 3,
    ...options,
  });
  // A live source may have captured more, and dropped them.
  expect(summary.branches).toMatchObject([{ delivered: 3 }]);
  const lengths = timers.mock.calls.map(([, ms]) => ms ?? 0);
  expect(Math.max(0, ...lengths)).toBeLessThan(2 ** 31);
  expect(lengths.length).toBeLessThan(100);
}

describe('a duration of more than 24.8 days', () => {
  it.each([25 * day, 30 * day, 10_000 * day])('for the run, %i ms', async (durationMs) => {
    await runThree(ticker({ frames: 10 }), { durationMs });
  });

  it('to drain', async () => {
    await runThree(ticker({ frames: 10 }), { drainMs: 30 * day });
  });

  it.each(['720h', '100000h'])('of a silent topic, %s', async (limit) => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 5, (n) => message(depthFrame(4, 3, n)));
    try {
      const source = zeromq({ connect: endpoint, 'silent-after': limit });
      // How many frames are lost until the subscription arrives is not known: 3 are delivered.
      const pipeline = definePipeline({ source, sinks: [discard()] });
      const { branches, error } = await runPipeline(pipeline, { frames: 3 });
      expect(error).toBeUndefined();
      expect(branches[0]?.delivered).toBe(3);
    } finally {
      done.abort();
      await sending;
      socket.close();
    }
  });

  it.each(['stalled-after', 'first-frame-within', 'healthy-after', 'max-delay'])(
    'of a restart, %s',
    async (name) => {
      const restart = { [name]: '1000h' };
      await runThree(testPattern({ width: 16, height: 16, fps: 30, realtime: true, restart }));
    },
  );
});
