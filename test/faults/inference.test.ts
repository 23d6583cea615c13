import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { tap } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { Random } from '../../src/synthetic/random.ts';
import { until } from '../support/gstreamer.ts';
import { putModel } from '../support/models.ts';

/** Ten in the short form: FAULT_ROUNDS=1000 npx vitest run test/faults */
const kills = Number(process.env.FAULT_ROUNDS ?? 100) / 10;

let directory: string;
/** Those that live, oldest first. */
let workers: Worker[];

function watch(worker: Worker) {
  workers.push(worker);
  worker.once('exit', () => workers.splice(workers.indexOf(worker), 1));
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inference-'));
  workers = [];
  process.on('worker', watch);
});
afterEach(() => {
  process.off('worker', watch);
  rmSync(directory, { recursive: true });
});

function pipeline(seen: Frame[], restarted: () => void) {
  return startPipeline(
    definePipeline({
      source: testPattern({ width: 64, height: 48, fps: 200, realtime: true }),
      operators: [
        estimateDepth({ model: putModel(directory, 'metres'), workers: 2 }),
        tap<Frame>((frame) => seen.push(frame)),
      ],
      sinks: [discard()],
    }),
    {
      log: {
        debug() {},
        info() {},
        warn(message) {
          if (/restarted an inference worker/.test(message)) restarted();
        },
      },
    },
  );
}

it(`of two workers one is ended at random instants ${kills} times: the others' frames come in order, its own count as failed`, async () => {
  const random = new Random(3);
  const seen: Frame[] = [];
  let restarts = 0;
  const run = await pipeline(seen, () => restarts++);
  for (let n = 0; n < kills; n++) {
    const before = seen.length;
    await until(() => workers.length === 2 && seen.length > before);
    await sleep(random.range(0, 20));
    // A request that it cannot read. `terminate` within a run would end the whole process.
    workers[0]?.postMessage(null);
    await until(() => restarts === n + 1);
  }
  const before = seen.length;
  await until(() => seen.length > before + 10);
  run.stop();
  const { branches, error } = await run.done;
  expect(error).toBeUndefined();
  expect(branches.map(imbalance)).toEqual([0]);
  // What the worker had in hand: a picture it was at, and one that waited for it.
  expect(branches[0]?.failed).toBeLessThanOrEqual(2 * kills);
  const seqs = seen.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(new Set(seqs).size).toBe(seqs.length);
  expect(workers).toEqual([]);
}, 200_000);
