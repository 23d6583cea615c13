import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { entryPoint, packageDirectory } from '../../src/core/entry-point.ts';

test('a worker or child process starts from its compiled file', () => {
  const file = fileURLToPath(entryPoint('inference/worker'));
  expect(file).toBe(`${packageDirectory()}dist/inference/worker.js`);
  expect(existsSync(file)).toBe(true);
});
