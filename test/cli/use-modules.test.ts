import { expect, it } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';

/** What is wrong with each module, in one run. */
async function problems(modules: Record<string, string>): Promise<Record<string, string>> {
  const use = Object.keys(modules);
  const text = `use: ${JSON.stringify(use)}\nsource: test-pattern\nsinks: [discard]\n`;
  const cwd = workplace({ ...modules, 'p.yaml': text });
  const { code, stdout } = await depthline(['check', 'p.yaml'], { cwd });
  expect(code).toBe(2);
  const lines = stdout.trim().replaceAll(`${cwd}/`, '').split('\n');
  const told = lines.map((line) => / (\S+) could not be loaded: (.*)$/.exec(line) ?? []);
  return Object.fromEntries(told.map(([, name = '', why = '']) => [name, why]));
}

it('a file that is no module is called so, by its ending', async () => {
  const names = ['a.tsx', 'a.json', 'a.py', 'a.node', 'a.wasm', 'a.md'];
  const message =
    'it is no JavaScript module; "use" takes a .js, .mjs or .cjs file, or TypeScript (.ts)';
  expect(await problems(Object.fromEntries(names.map((name) => [name, '{}'])))).toEqual(
    Object.fromEntries(names.map((name) => [name, message])),
  );
});

it('a module that fails says why, whatever it throws', async () => {
  const told = await problems({
    'null.mjs': 'throw null;',
    'undefined.cjs': 'throw undefined;',
    'error.mjs': 'throw new Error("no camera");',
  });
  expect(told).toMatchObject({ 'null.mjs': 'null', 'undefined.cjs': 'undefined' });
  expect(told['error.mjs']).toBe('no camera');
});
