import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { depthline, projectFolder, summaryOf } from '../support/cli.ts';

/** Loaded before everything else: the clock says 2018, as on a board without a battery. */
const wrongClock = `
const behind = Date.now() - Date.UTC(2018, 0, 28, 12);
const now = Date.now;
let off = behind;
Date.now = () => now() - off;
Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin - behind });
globalThis.setClock = () => { off = 0; };
`;

const settingOperator = `
import { defineOperator } from 'depthline';
import { tap } from 'rxjs';
import { z } from 'zod';
export const setting = defineOperator({
  name: 'setting', summary: 'Sets the clock.', accepts: ['image'], emits: 'same',
  options: z.strictObject({}), examples: [{}],
  create: async () => tap((frame) => { if (frame.seq === 10) globalThis.setClock(); }),
});
`;

const pipeline = `
use: ./setting.mjs
source:
  test-pattern: { width: 32, height: 24, frames: 30 }
operators: [setting]
sinks:
  - file: { directory: "out/%Y", format: png }
    queue: { limit: 64, when-full: block, max-age: 20s }
`;

it('a clock that is set while a pipeline runs is followed, reported once, and makes no frame old', async () => {
  const cwd = projectFolder();
  const files = {
    'wrong-clock.mjs': wrongClock,
    'setting.mjs': settingOperator,
    'p.yaml': pipeline,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const env = { NODE_OPTIONS: `--import=${join(cwd, 'wrong-clock.mjs')}` };
  const finished = await depthline(['run', 'p.yaml', '--stats', 'json'], { cwd, env });
  expect(finished.code).toBe(0);
  const { branches, latencyMs, captured } = summaryOf(finished);
  expect(captured).toBe(30);
  // Nothing was too old, and nothing is as old as the step is long.
  const reasons = branches[0]?.dropped.map(({ reason }) => reason) ?? [];
  expect(reasons).not.toContain('too old');
  expect(latencyMs?.p99).toBeLessThan(60_000);
  const reports = finished.stderr.match(/the system clock was set .*/g);
  expect(reports).toEqual([
    expect.stringMatching(
      /^the system clock was set forward by \d+ days; timestamps follow it, ages are not affected$/,
    ),
  ]);
  const years = readdirSync(join(cwd, 'out'));
  expect(years).toEqual(['2018', String(new Date().getFullYear())]);
  const rows = years.map((year) =>
    readFileSync(join(cwd, 'out', year, 'index.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1),
  );
  expect(rows.flat()).toHaveLength(branches[0]?.delivered ?? 0);
  const times = rows.flat().map((row) => new Date(Number(row.split(',')[2]) / 1e6).getFullYear());
  expect([times[0], times.at(-1)]).toEqual(years.map(Number));
});
