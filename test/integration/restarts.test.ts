import { readdirSync } from 'node:fs';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { captureHosts, isRunning, until } from '../support/gstreamer.ts';

describe('a pipeline whose capture process is killed', () => {
  it('goes on, loses no frame of a source that repeats, and leaves no process', async () => {
    const frames = 120;
    const seen: number[] = [];
    const pipeline = definePipeline({
      source: testPattern({ width: 224, height: 224, frames }),
      operators: [estimateDepth({}), tap<Frame>(({ seq }) => seen.push(seq))],
      sinks: [discard()],
    });
    const run = await startPipeline(pipeline);
    const killed: number[] = [];
    for (const share of [0.25, 0.5]) {
      await until(() => seen.length > share * frames);
      const [host] = captureHosts() as [number];
      process.kill(host, 'SIGKILL');
      killed.push(host);
      await until(() => !isRunning(host));
    }
    const summary = await run.done;
    expect(summary.error).toBeUndefined();
    expect(summary.restarts).toEqual([{ stage: 'test-pattern', count: 2 }]);
    expect(seen).toEqual(Array.from({ length: frames }, (_, seq) => seq));
    expect(summary.branches.map(imbalance)).toEqual([0]);
    expect(summary.branches[0]?.delivered).toBe(frames);
    expect(captureHosts()).toEqual([]);
  });

  it('of a camera goes on, and opens no more descriptors each time', async () => {
    let frames = 0;
    const pipeline = definePipeline({
      source: testPattern({
        width: 64,
        height: 48,
        fps: 100,
        realtime: true,
        restart: { limit: 9 },
      }),
      operators: [tap<Frame>(() => frames++)],
      sinks: [discard()],
    });
    const run = await startPipeline(pipeline);
    const open: number[] = [];
    for (let n = 0; n < 6; n++) {
      frames = 0;
      await until(() => frames > 5);
      open.push(readdirSync('/proc/self/fd').length);
      const [host] = captureHosts() as [number];
      process.kill(host, 'SIGKILL');
      await until(() => captureHosts().some((pid) => pid !== host));
    }
    frames = 0;
    await until(() => frames > 5);
    run.stop();
    const { branches, restarts } = await run.done;
    expect(restarts).toEqual([{ stage: 'test-pattern', count: 6 }]);
    expect(branches.map(imbalance)).toEqual([0]);
    expect(Math.max(...open.slice(1))).toBeLessThanOrEqual((open[0] as number) + 1);
    expect(captureHosts()).toEqual([]);
  });
});

it('runs one after the other in a process open no more descriptors, and leave no process', async () => {
  const open: number[] = [];
  for (let n = 0; n < 6; n++) {
    const pipeline = definePipeline({
      source: testPattern({ width: 64, height: 48, frames: 3 }),
      sinks: [discard(), discard()],
    });
    const { branches } = await (await startPipeline(pipeline)).done;
    expect(branches.map(({ delivered }) => delivered)).toEqual([3, 3]);
    expect(captureHosts()).toEqual([]);
    open.push(readdirSync('/proc/self/fd').length);
  }
  expect(Math.max(...open.slice(2))).toBeLessThanOrEqual((open[1] as number) + 1);
});
