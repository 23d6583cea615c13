import { expect, it } from 'vitest';
import { formatSummary } from '../../src/cli/run-output.ts';
import type { RunSummary } from '../../src/runtime/run-handle.ts';

const summary = {
  pipeline: 'p',
  captured: 5,
  elapsedMs: 1000,
  fps: 5,
  latencyMs: undefined,
  restarts: [],
  branches: [],
  violations: [],
  components: {},
} as unknown as RunSummary;

const lines = (changes: object) => formatSummary({ ...summary, ...changes }).split('\n');

it('has no line for a component that has nothing to say', () => {
  const components = { zeromq: {}, file: { files: 3, bytes: 4_226_456 } };
  expect(lines({ components }).slice(-2)).toEqual(['', 'file: files 3, 4.2 MB']);
  expect(lines({ components: { zeromq: {} } }).join()).not.toContain('zeromq');
});

it('counts restarts in words', () => {
  const restarts = [
    { stage: 'video', count: 1 },
    { stage: 'rtsp', count: 2 },
  ];
  expect(lines({ restarts })).toContain('video restarted once');
  expect(lines({ restarts })).toContain('rtsp restarted 2 times');
});

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [2_500_000_000_000, '2500.0 GB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(lines({ components: { file: { bytes } } }).at(-1)).toBe(`file: ${text}`);
});
