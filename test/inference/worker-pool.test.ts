import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findModel, verifyModel } from '../../src/inference/model-files.ts';
import { type PoolOptions, WorkerPool } from '../../src/inference/worker-pool.ts';
import { imageFrame } from '../support/frames.ts';
import { putModel } from '../support/models.ts';

let directory: string;
let restarts: string[];
const pools: WorkerPool[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pool-'));
  restarts = [];
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  rmSync(directory, { recursive: true });
});

async function openModel(path: string, options: Partial<PoolOptions>): Promise<WorkerPool> {
  const pool = await WorkerPool.open(await verifyModel(await findModel(path, directory)), {
    workers: 1,
    threads: 1,
    providers: ['cpu'],
    onRestart: (reason) => restarts.push(reason),
    ...options,
  });
  pools.push(pool);
  return pool;
}

/** A pool of workers that die on command. */
function open(workers: number, name = 'metres'): Promise<WorkerPool> {
  return openModel(putModel(directory, 'metres', {}, name), {
    workers,
    entry: new URL('../support/fake-worker.mjs', import.meta.url),
  });
}

const order = (value: number) => imageFrame(8, 6, 0, () => [value, 0, 0]);
const [good, deadly] = [order(0), order(1)];

it('spreads pictures over the workers', async () => {
  const pool = await open(3);
  const answers = await Promise.all([0, 0, 0].map(() => pool.infer(good)));
  expect(new Set(answers.map(({ depth }) => depth[0])).size).toBe(3);
});

it('replaces a worker that dies; only its own pictures fail', async () => {
  const pool = await open(2);
  const [dead, alive] = await Promise.allSettled([pool.infer(deadly), pool.infer(good)]);
  expect(dead).toMatchObject({
    status: 'rejected',
    reason: { code: 'MODEL', message: 'metres: its worker died: segmentation fault' },
  });
  expect(alive.status).toBe('fulfilled');
  // The other one works on while the place is empty; then both do.
  await pool.infer(good);
  await expect.poll(() => restarts).toHaveLength(1);
  expect(restarts[0]).toMatch(/segmentation fault/);
  const answers = await Promise.all([pool.infer(good), pool.infer(good)]);
  expect(new Set(answers.map(({ depth }) => depth[0])).size).toBe(2);
});

it('lets pictures wait while the only worker is replaced', async () => {
  const pool = await open(1);
  await expect(pool.infer(deadly)).rejects.toThrow(/died/);
  expect((await pool.infer(good)).depth).toHaveLength(48);
  expect(restarts).toHaveLength(1);
});

it('does not give up on a worker that dies now and then', async () => {
  const pool = await open(1);
  for (let i = 0; i < 5; i++) {
    await expect(pool.infer(deadly)).rejects.toThrow(/died/);
    await pool.infer(good);
  }
  expect(restarts).toHaveLength(5);
});

it('gives up on one that dies again and again', async () => {
  const pool = await open(1);
  for (let i = 0; i < 4; i++) await expect(pool.infer(deadly)).rejects.toThrow(/died/);
  const message = /segmentation fault; it died 4 times in a row and is not restarted/;
  await expect(pool.failed).rejects.toThrow(message);
  await expect(pool.infer(good)).rejects.toThrow(message);
  expect(restarts).toHaveLength(3);
});

it('gives up on a worker that cannot be restarted', async () => {
  const pool = await open(1, 'stillborn');
  await expect(pool.infer(deadly)).rejects.toThrow(/died/);
  await expect(pool.infer(good)).rejects.toThrow(/out of memory.*is not restarted/);
});

it('closes when the picture that is worked on is done, however long it takes', async () => {
  const pool = await openModel(putModel(directory, 'slow'), {});
  // More than half a second each.
  const pictures = [255, 255, 255].map((red) => pool.infer(order(red)));
  const answers = Promise.allSettled(pictures);
  await pool.close();
  const [first, ...others] = await answers;
  expect(first).toMatchObject({ status: 'fulfilled' });
  for (const other of others) {
    expect(other).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringMatching(/was closed/) as string },
    });
  }
  await pool.close();
  await expect(pool.infer(good)).rejects.toThrow(/closed/);
});

it('refuses a picture of another size', async () => {
  const pool = await open(1);
  await expect(pool.infer(imageFrame(9, 6))).rejects.toThrow(/takes 8×6 pictures, not 9×6/);
});
