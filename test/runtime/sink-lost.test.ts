import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import { SinkLost } from '../../src/core/sink-lost.ts';
import { definePipeline, type OnError } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, ticker } from '../support/parts.ts';

/** Writes until frame `at`; then its error is `error`, at each attempt. */
function breaking(at: number, error: (attempt: number) => Error) {
  let attempts = 0;
  return defineSink({
    name: 'breaking',
    summary: 'Breaks.',
    accepts: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({
      async write({ seq }) {
        if (seq >= at) throw error(++attempts);
      },
    }),
  })({});
}

async function runBeside(onError: OnError, error: (attempt: number) => Error, alone = false) {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => warnings.push(text) };
  const healthy = { name: 'healthy', sink: collector(clock)({}) };
  const run = await startPipeline(
    definePipeline({
      source: ticker({ frames: 100 }),
      sinks: [{ sink: breaking(4, error), onError }, ...(alone ? [] : [healthy])],
    }),
    { clock, log },
  );
  const summary = await clock.until(run.done);
  expect(summary.branches.map(imbalance)).toEqual(alone ? [0] : [0, 0]);
  return { summary, warnings };
}

const lost = () => new SinkLost('the disk was unplugged');

describe('a sink that cannot write any more', () => {
  it.each(['skip', 'retry'] as const)(
    'ends its branch with on-error: %s, and other branches go on',
    async (onError) => {
      const { summary, warnings } = await runBeside(onError, lost);
      const [broken, healthy] = summary.branches;
      expect(broken).toMatchObject({ delivered: 4, failed: 1 });
      expect(broken?.dropped).toEqual([
        { stage: 'breaking queue', reason: 'branch ended', count: 95 },
      ]);
      expect(healthy).toMatchObject({ delivered: 100, failed: 0 });
      expect(warnings).toEqual(['breaking: the disk was unplugged; this branch ends']);
      expect(summary.error).toMatchObject({ code: 'SINK', message: 'the disk was unplugged' });
    },
  );

  it('ends the run with on-error: fail', async () => {
    const { summary } = await runBeside('fail', lost);
    expect(summary.captured).toBe(5);
    expect(summary.error?.at).toBe('sinks[0] breaking');
  });

  it('ends the run if it was the last one', async () => {
    const { summary } = await runBeside('skip', lost, true);
    expect(summary.captured).toBe(5);
    expect(summary.error?.message).toBe('the disk was unplugged');
  });

  it('may turn out so at a later attempt', async () => {
    const error = (attempt: number) => (attempt < 3 ? new Error('busy') : lost());
    const { summary } = await runBeside('retry', error);
    expect(summary.branches[0]).toMatchObject({ delivered: 4, failed: 1 });
    expect(summary.branches[1]).toMatchObject({ delivered: 100 });
  });
});
