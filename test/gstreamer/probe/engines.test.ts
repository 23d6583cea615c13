import { expect, test } from 'vitest';
import type { Fusion } from '../../../src/core/fusion.ts';
import {
  availableEngines,
  engineWorks,
  hasHardware,
} from '../../../src/gstreamer/probe/engines.ts';
import { probe } from '../../../src/gstreamer/probe/probe.ts';

const head = { line: 'videotestsrc' };
const resize = (on: 'auto' | 'cpu' | 'cuda'): Fusion => ({
  do: 'resize',
  width: 8,
  height: 8,
  fit: 'stretch',
  on,
});

test('the cpu engine always works', async () => {
  expect(await engineWorks('cpu')).toBe(true);
  expect((await availableEngines(head, [resize('auto')])).at(-1)).toBe('cpu');
  expect(await availableEngines(head, [])).toEqual(['cpu']);
});

test('an engine that is named is tried out, not assumed', async () => {
  const engines = await availableEngines(head, [resize('cuda')]);
  expect(engines.includes('cuda')).toBe(await engineWorks('cuda'));
  if (!hasHardware('cuda')) expect(engines).toEqual(['cpu']);
});

test('a probe tells what fails, and ends by itself', async () => {
  expect(await probe('videotestsrc num-buffers=1 ! fakesink')).toBeUndefined();
  expect(await probe('videotestsrc ! nosuch')).toBe('no element "nosuch"');
  expect(await probe('filesrc location=/nonexistent ! fakesink')).toMatch(/not found/);
});
