import { expect, it } from 'vitest';
import {
  depthline,
  imbalances,
  leftBehind,
  projectFolder,
  start,
  summaryOf,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';

const heartbeat = `
import { defineOperator } from 'depthline';
import { mergeWith, NEVER } from 'rxjs';
import { z } from 'zod';
export const heartbeat = defineOperator({
  name: 'heartbeat', summary: 'Never completes.', accepts: ['image'], emits: 'same',
  options: z.strictObject({}), examples: [{}],
  create: async () => mergeWith(NEVER),
});
`;

const pipeline = (frames: string) => `
use: ./heartbeat.mjs
source:
  test-pattern: { width: 64, height: 48, fps: 30${frames} }
operators: [heartbeat]
sinks:
  - discard: {}
    operators: [heartbeat]
`;

const folder = (frames = '') =>
  projectFolder({ 'p.yaml': pipeline(frames), 'heartbeat.mjs': heartbeat });

it.concurrent.each<[string, string, string[]]>([
  ['its frames', '', ['--frames', '3']],
  ['its duration', '', ['--duration', '0.5']],
  ['the end of its source', ', frames: 3', []],
])('a run whose operators never complete ends after %s', async (_, frames, args) => {
  const finished = await depthline(['run', 'p.yaml', '--stats', 'json', ...args], {
    cwd: folder(frames),
  });
  expect(finished.code).toBe(0);
  const summary = summaryOf(finished);
  // How many frames a machine gives within a duration is its own affair.
  if (!args.includes('--duration')) expect(summary.branches[0]?.delivered).toBe(3);
  expect(imbalances(summary)).toEqual([0]);
});

it.concurrent.each([1, 2])('and after %i interrupts', async (interrupts) => {
  const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd: folder() });
  await until(() => /"captured":[1-9]/.test(running.stdout));
  // Two of one kind might arrive as one.
  for (const signal of (['SIGINT', 'SIGTERM'] as const).slice(0, interrupts))
    running.child.kill(signal);
  const finished = await running.finished;
  expect(finished.code).toBe(interrupts === 1 ? 0 : 130);
  expect(imbalances(summaryOf(finished))).toEqual([0]);
  expect(await leftBehind(running)).toEqual([]);
});
