import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { ticker } from '../support/parts.ts';

/** Runs six frames into a sink that takes frames back. */
async function account(takeBack: (context: ComponentContext) => void) {
  const sink = defineSink({
    name: 'forgetful',
    summary: 'Takes frames back.',
    accepts: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    async create(_, context) {
      takeBack(context);
      return { write() {} };
    },
  });
  const clock = new VirtualClock();
  const pipeline = definePipeline({ source: ticker({ frames: 6 }), sinks: [sink()] });
  const summary = await clock.until((await startPipeline(pipeline, { clock })).done);
  expect(summary.branches.map(imbalance)).toEqual([0]);
  return summary.branches[0];
}

it('frames that a sink takes back at its closing count as failed', async () => {
  const branch = await account((context) => context.defer(() => context.undelivered(4)));
  expect(branch).toMatchObject({ delivered: 2, failed: 4, inFlight: 0 });
});

it('no more frames are taken back than were delivered', async () => {
  const branch = await account((context) => context.defer(() => context.undelivered(100)));
  expect(branch).toMatchObject({ delivered: 0, failed: 6, inFlight: 0 });
});
