import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineSink } from '../../src/core/component.ts';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { frameKinds } from '../../src/core/frame.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline, type OperatorInput } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { runPipeline, startPipeline } from '../../src/runtime/runner.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { captureHosts, until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'direct-'));
});
afterEach(() => {
  expect(captureHosts()).toEqual([]);
  rmSync(directory, { recursive: true });
});

/** Keeps frames, and says whether it looks at pictures. */
function keeper(kept: Frame[], usesPicture: boolean) {
  return defineSink({
    name: 'keeper',
    summary: 'Keeps frames, for tests.',
    accepts: frameKinds,
    usesPicture: () => usesPicture,
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({ write: (frame) => void kept.push(frame) }),
  })({});
}

function pipeline(
  kept: Frame[],
  workers: number,
  usesPicture: boolean,
  before: OperatorInput[] = [],
) {
  return definePipeline({
    source: testPattern({ width: 8, height: 6, pattern: 'ball', frames: 200 }),
    operators: [...before, estimateDepth({ model: putModel(directory, 'metres'), workers })],
    sinks: [keeper(kept, usesPicture)],
  });
}

const depthOf = (frames: readonly Frame[]) =>
  frames.map((frame) => Buffer.from(new Uint8Array((frame as DepthFrame).data.slice().buffer)));

describe('workers that read the source’s frames themselves', () => {
  it.each([1, 2, 3])(
    'give what frames through the main thread give, in order: %d',
    async (workers) => {
      const [direct, usual]: [Frame[], Frame[]] = [[], []];
      const { branches, error } = await runPipeline(pipeline(direct, workers, true));
      expect(error).toBeUndefined();
      expect(branches.map(imbalance)).toEqual([0]);
      // An operator of the user's between the two needs each frame.
      await runPipeline(pipeline(usual, workers, true, [tap<Frame>(() => {})]));
      expect(direct.map(({ seq }) => seq)).toEqual(direct.map((_, seq) => seq));
      expect(direct.map(({ pts }) => pts)).toEqual(usual.map(({ pts }) => pts));
      expect(depthOf(direct)).toEqual(depthOf(usual));
      const pictures = (frames: readonly Frame[]) =>
        frames.map((frame) => Buffer.from((frame as DepthFrame).image?.data as Uint8Array));
      expect(pictures(direct)).toEqual(pictures(usual));
    },
  );

  it('leave out the picture only where nothing looks at it', async () => {
    const kept: Frame[] = [];
    await runPipeline(pipeline(kept, 1, false));
    expect(kept).toHaveLength(200);
    expect(kept.filter((frame) => (frame as DepthFrame).image)).toEqual([]);
  });

  it('go on after the capture process was killed, with every frame once', async () => {
    const kept: Frame[] = [];
    const run = await startPipeline(pipeline(kept, 2, false));
    await until(() => kept.length > 20);
    for (const pid of captureHosts()) process.kill(pid, 'SIGKILL');
    const { branches, error, restarts } = await run.done;
    expect(error).toBeUndefined();
    expect(branches.map(imbalance)).toEqual([0]);
    expect(kept.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, seq) => seq));
    // The process may have written everything by then.
    expect(restarts.length).toBeLessThanOrEqual(1);
  });

  it('read no further while the source is held', async () => {
    const kept: Frame[] = [];
    const run = await startPipeline(pipeline(kept, 2, false));
    await until(() => kept.length > 5);
    run.pause();
    // What had been asked for before still comes.
    await until(() => run.stats().branches[0]?.inFlight === 0);
    const { captured } = run.stats();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(run.stats().captured).toBe(captured);
    run.resume();
    const { branches } = await run.done;
    expect(branches.map(imbalance)).toEqual([0]);
    expect(kept).toHaveLength(200);
  });
});
