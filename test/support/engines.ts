import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessChoice } from '../../src/inference/engines/choice.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The reference helper, built by its Makefile; once per state of its sources. */
export function referenceHelper(): string {
  const folder = join(root, 'engines/onnxruntime');
  const sources = ['helper.cpp', 'ort.hpp', 'Makefile', '../helper.hpp'];
  const hash = createHash('sha256').update(root);
  for (const source of sources) hash.update(readFileSync(join(folder, source)));
  const name = `engine-${hash.digest('hex').slice(0, 12)}`;
  const build = join(root, 'node_modules/.cache', name);
  if (!existsSync(build)) {
    execFileSync('make', ['-s', '-C', folder, `BUILD=${build}.${process.pid}`, 'CXXFLAGS=-O1'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    renameSync(`${build}.${process.pid}`, build);
  }
  return join(build, 'depthline-onnxruntime');
}

const fake = fileURLToPath(new URL('fake-helper.py', import.meta.url));

/** A helper without a network (see fake-helper.py). @param wrong what it does wrong while it loads */
export function fakeHelper(wrong = '', limits: Partial<ProcessChoice> = {}): ProcessChoice {
  const command = ['python3', fake, ...(wrong === '' ? [] : [wrong])];
  return { name: 'process', command, deadlineMs: 10_000, startWithinMs: 20_000, ...limits };
}
