import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { imbalance } from '../../src/core/ledger.ts';
import { definePipeline, type OnError } from '../../src/core/pipeline.ts';
import { startPipeline } from '../../src/core/runner.ts';
import { file } from '../../src/sinks/file.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { until } from '../support/gstreamer.ts';

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A camera whose frames are written; in the middle the directory goes, and something is in its place. */
async function lose(onError: OnError) {
  folder = mkdtempSync(join(tmpdir(), 'depthline-disk-'));
  const directory = join(folder, 'out');
  const pictures = () => {
    try {
      return readdirSync(directory).filter((name) => name.endsWith('.png')).length;
    } catch {
      return 0;
    }
  };
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message) };
  const pipeline = definePipeline({
    source: testPattern({ width: 64, height: 48, fps: 50, realtime: true }),
    sinks: [{ sink: file({ directory, format: 'png' }), onError }],
  });
  const run = await startPipeline(pipeline, { log });
  let over = false;
  void run.done.then(() => {
    over = true;
  });
  const branch = () => run.stats().branches[0];
  await until(() => (branch()?.delivered ?? 0) > 10);
  rmSync(directory, { recursive: true });
  writeFileSync(directory, 'not a directory');
  await until(() => over || warnings.length > 0);
  const lost = branch()?.delivered ?? 0;
  if (!over) {
    if (onError === 'skip') await until(() => (branch()?.failed ?? 0) > 5);
    rmSync(directory);
    await until(() => (branch()?.delivered ?? 0) > lost + 10);
    run.stop();
  }
  const summary = await run.done;
  expect(summary.branches.map(imbalance)).toEqual([0]);
  const [account] = summary.branches;
  if (!account) throw new Error('no branch');
  return { summary, account, warnings, after: account.delivered - lost, pictures: pictures() };
}

describe('a directory that is lost while frames are written to it, and back later', () => {
  it('with on-error: fail ends the run with what to do', async () => {
    const { summary, account } = await lose('fail');
    expect(summary.error).toMatchObject({ code: 'SINK', at: 'sinks[0] file' });
    expect(summary.error?.message).toContain(folder);
    expect(account.failed).toBe(1);
  });

  it('with on-error: skip misses the frames in between, counted and named', async () => {
    const { summary, account, warnings, after, pictures } = await lose('skip');
    expect(summary.error).toBeUndefined();
    expect(account.failed).toBeGreaterThan(5);
    expect(warnings).toHaveLength(account.failed);
    expect(pictures).toBe(after);
  });

  it('with on-error: retry loses no frame that it was given', async () => {
    const { summary, account, warnings, after, pictures } = await lose('retry');
    expect(summary.error).toBeUndefined();
    expect(account.failed).toBe(0);
    expect(warnings[0]).toMatch(/trying again/);
    expect(pictures).toBe(after);
  });
});
