import { mkdirSync, readdirSync } from 'node:fs';
import { validateHeaderValue } from 'node:http';
import { join } from 'node:path';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { defineSource } from '../../src/core/component.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { commandRoutes } from '../../src/serve/command-routes.ts';
import type { Route } from '../../src/serve/run-server.ts';
import { Snapshots } from '../../src/serve/snapshot.ts';
import { discard } from '../../src/sinks/discard.ts';
import { workplace } from '../support/cli.ts';
import { imageFrame } from '../support/frames.ts';

/** Frames as a source `nats` gives them: with the name that a publisher has written into their header. */
const published = defineSource({
  name: 'published',
  summary: 'A frame with the name of a camera elsewhere, for tests.',
  emits: ['image'],
  options: z.strictObject({ camera: z.string() }),
  examples: [{ camera: 'front' }],
  create: async ({ camera }) => of({ ...imageFrame(4, 3, 0), camera }),
});

async function snapshotOf(camera: string, query: Record<string, string> = {}) {
  const root = workplace();
  const directory = join(root, 'shots');
  mkdirSync(directory);
  const snapshots = new Snapshots(systemClock);
  const pipeline = definePipeline({ source: published({ camera }), sinks: [discard({})] });
  const run = await startPipeline(pipeline, {
    onFrame: (frame, branch) => snapshots.keep(frame, branch),
  });
  await run.done;
  const reload = () => Promise.reject(new Error('is not asked for'));
  const routes = commandRoutes({ run: () => run, reload, snapshots, directory });
  const { handle } = routes.find(({ path }) => path === '/snapshot') as Route;
  const asked = { query: new URLSearchParams(query), body: Buffer.alloc(0), trusted: true };
  return { root, directory, answer: await handle(asked) };
}

describe('a snapshot of a frame that brings the name of a camera elsewhere', () => {
  it.each(['front', '/../../stolen', 'a/b'])('%j is written into its folder', async (camera) => {
    const { root, directory, answer } = await snapshotOf(camera, { to: 'directory' });
    expect(answer.status).toBe(200);
    expect(readdirSync(root)).toEqual(['shots']);
    expect(readdirSync(directory)).toEqual([
      expect.stringMatching(/^\d{8}T\d{6}Z-000000-picture\.png$/),
    ]);
  });

  it.each(['front', 'a"; filename="b', 'a\r\nb', 'кухня'])('%j is sent', async (camera) => {
    const { answer } = await snapshotOf(camera);
    const disposition = answer.headers?.['Content-Disposition'] ?? '';
    validateHeaderValue('Content-Disposition', disposition);
    expect(disposition).toBe('attachment; filename="0-picture.png"');
  });
});
