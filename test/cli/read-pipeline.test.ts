import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { builtinsIn, readPipeline } from '../../src/cli/read-pipeline.ts';

const directory = mkdtempSync(join(tmpdir(), 'depthline-read-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(text: string): string {
  const file = join(directory, 'a.yaml');
  writeFileSync(file, text);
  return file;
}

describe('the built-in components that a text names', () => {
  it('are the same, whether they are loaded alone or all together', async () => {
    const all = builtins.list();
    const named = await builtinsIn(all.map(({ name }) => name).join(' '));
    expect(new Set(named)).toEqual(new Set(all));
    for (const { role, name } of all) {
      expect(await builtinsIn(`- ${name}:`)).toContain(builtins.get(name, role));
    }
  });

  it('are all that are loaded of a valid file', async () => {
    const file = written('source: test-pattern\noperators: [flip]\nsinks: [discard]\n');
    const { problems, registry } = await readPipeline(file, {});
    expect(problems).toEqual([]);
    expect(registry.names()).toEqual(['discard', 'flip', 'test-pattern']);
  });
});

describe('all built-in components', () => {
  it.each([
    ['a name with a typo', 'source: test-patern\nsinks: [discard]\n', /"test-pattern"/],
    ['a sink that the text does not name', 'source: test-pattern\nsinks: [discrad]\n', /"discard"/],
    ['no file of that name', undefined, /no such file/],
  ])('are known where there is a problem: %s', async (_, text, message) => {
    const file = text === undefined ? join(directory, 'none.yaml') : written(text);
    const { problems, registry } = await readPipeline(file, {});
    expect(problems.map((one) => one.message).join()).toMatch(message);
    expect(registry.names()).toEqual(expect.arrayContaining(builtins.names()));
  });

  it('are there where a variable names one', async () => {
    const file = written(`source: test-pattern\nsinks: ['\${SINK}']\n`);
    const { problems, pipeline } = await readPipeline(file, { env: { SINK: 'discard' } });
    expect(problems).toEqual([]);
    expect(pipeline?.branches.map(({ name }) => name)).toEqual(['discard']);
  });

  it('keep their names: a module may not take one that the file does not use', async () => {
    writeFileSync(
      join(directory, 'flip.mjs'),
      `import { defineOperator } from '${new URL('../../dist/index.js', import.meta.url).href}';
import { z } from '${new URL('../../node_modules/zod/index.js', import.meta.url).href}';
export const mine = defineOperator({ name: 'zones', summary: 'Mine.', accepts: ['image'], emits: 'same', options: z.strictObject({}), create: () => (input) => input });
`,
    );
    const file = written('use: [./flip.mjs]\nsource: test-pattern\nsinks: [discard]\n');
    const { problems } = await readPipeline(file, {});
    expect(problems.map((one) => one.message).join()).toMatch(/there already is an operator/);
  });
});
