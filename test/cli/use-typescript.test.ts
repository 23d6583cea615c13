import { expect, it } from 'vitest';
import { depthline, projectFolder } from '../support/cli.ts';

const module = `
import { defineOperator, type Frame } from 'depthline';
import { map } from 'rxjs';
import { z } from 'zod';
const same = (frame: Frame): Frame => frame;
export const mine = defineOperator({
  name: 'mine', summary: 'Mine.', accepts: ['image'], emits: 'same',
  options: z.strictObject({}), examples: [{}],
  create: async () => map(same),
});`;
const pipeline = `use: ./mine.ts
source: { test-pattern: { width: 64, height: 48, frames: 2 } }
operators: [mine]
sinks: [discard]
`;

it('a TypeScript module loads where Node.js supports it; elsewhere the message says what to do', async () => {
  const cwd = projectFolder({
    'mine.ts': module,
    'p.yaml': pipeline,
    'package.json': '{"type":"module"}',
  });
  const checked = await depthline(['check', 'p.yaml'], { cwd });
  const listed = await depthline(['list', '--use', './mine.ts'], { cwd });
  // Types were first stripped without an option in 22.18 and 23.6.
  if ((process.features as { typescript?: unknown }).typescript) {
    expect(checked).toMatchObject({ code: 0 });
    expect(listed.stdout).toMatch(/^ +mine +Mine\.$/m);
    return;
  }
  const advice =
    /Node\.js [\d.]+ does not run TypeScript; use Node\.js 22\.18 or newer, or compile the module/;
  expect(checked.code).toBe(2);
  expect(checked.stdout).toMatch(/^p\.yaml:1:6: use: \.\/mine\.ts could not be loaded: /);
  expect(checked.stdout).toMatch(advice);
  expect(listed.code).toBe(2);
  expect(listed.stderr).toMatch(advice);
});
