import { expect, test } from 'vitest';
import { compiledEntry } from '../../src/core/entry-point.ts';

test('a source file is started from its compiled copy', () => {
  const root = new URL('file:///home/ana/depthline/');
  expect(compiledEntry(new URL('src/inference/worker.js', root), root).href).toBe(
    'file:///home/ana/depthline/dist/inference/worker.js',
  );
});

test('a compiled file is started as it is', () => {
  const root = new URL('file:///home/ana/depthline/');
  const file = new URL('dist/inference/worker.js', root);
  expect(compiledEntry(file, root).href).toBe(file.href);
});

test.each(['file:///src/depthline/', 'file:///home/ana/src/src/depthline/'])(
  'a checkout below a folder named src: %s',
  (folder) => {
    const root = new URL(folder);
    expect(compiledEntry(new URL('src/cli/worker.js', root), root).href).toBe(
      `${folder}dist/cli/worker.js`,
    );
  },
);
