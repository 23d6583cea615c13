import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from, toArray } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineSource } from '../../src/core/component.ts';
import { inferenceThread } from '../../src/inference/thread-name.ts';
import { estimateStereo } from '../../src/operators/estimate-stereo.ts';
import { defineCameras } from '../../src/pipeline/cameras.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { stereoFrame } from '../../src/testing/sample-frames.ts';
import { testContext } from '../support/context.ts';
import { putModel } from '../support/models.ts';

const directory = mkdtempSync(join(tmpdir(), 'stereo-'));
afterAll(() => rmSync(directory, { recursive: true }));
const options = (more: object = {}) =>
  estimateStereo.options.parse({ model: putModel(directory, 'pairs'), ...more });

test('pairs that are not rectified are named once', async () => {
  const context = testContext({ queue: { limit: 4, whenFull: 'block' } });
  const operator = await estimateStereo.create(options(), context);
  const pairs = [0, 1].map((seq) => ({ ...stereoFrame(32, 24, seq), rectified: false }));
  const frames = await firstValueFrom(from(pairs).pipe(operator, toArray()));
  await context.close();
  expect(frames.map(({ kind, seq }) => [kind, seq])).toEqual([
    ['depth', 0],
    ['depth', 1],
  ]);
  const said = context.logs.filter(({ message }) => /not rectified/.test(message));
  expect(said).toHaveLength(1);
});

test('a source without intrinsics or baseline is refused before the run', async () => {
  const problems = (intrinsics: boolean, baseline?: boolean) =>
    estimateStereo.check?.(options(), {
      baseDirectory: directory,
      arriving: { kinds: ['stereo'], intrinsics, baseline },
      thorough: false,
    });
  expect(await problems(false)).toEqual([
    {
      path: [],
      message: expect.stringMatching(/needs the intrinsics.*set "calibration"/) as string,
    },
  ]);
  expect(await problems(true, false)).toMatchObject([
    { message: expect.stringMatching(/needs the baseline/) as string },
  ]);
  expect(await problems(false, false)).toMatchObject([
    { message: expect.stringMatching(/needs the intrinsics and the baseline/) as string },
  ]);
  expect(await problems(true)).toEqual([]);
  expect(await problems(true, true)).toEqual([]);
});

test('several cameras share one model, in turn', async () => {
  const pairs = defineSource({
    name: 'pairs',
    summary: 'Gives pairs, for tests.',
    emits: ['stereo'],
    facts: () => ({ intrinsics: true }),
    options: z.strictObject({}),
    examples: [{}],
    create: async () => from([0, 1, 2].map((seq) => stereoFrame(32, 24, seq))),
  });
  let threads = 0;
  const summary = await runPipeline(
    defineCameras({
      cameras: { a: pairs({}), b: pairs({}), c: pairs({}) },
      operators: [
        {
          operator: estimateStereo({ model: putModel(directory, 'pairs') }),
          queue: { limit: 4, whenFull: 'block' },
        },
      ],
      sinks: [discard()],
    }),
    {
      onFrame: () => {
        threads = Math.max(threads, inferenceThreads());
      },
    },
  );
  expect(summary.branches.map(({ delivered }) => delivered)).toEqual([3, 3, 3]);
  expect(threads).toBe(1);
});

function inferenceThreads(): number {
  const names = readdirSync('/proc/self/task').map((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
    } catch {
      // It has ended meanwhile.
      return '';
    }
  });
  return names.filter((name) => name === inferenceThread).length;
}
