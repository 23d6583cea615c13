import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  depthline,
  type Finished,
  imbalances,
  projectFolder,
  start,
  workplace,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';

interface Line {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Every line of standard error, which must all be objects with time, level and message. */
function linesOf({ stderr }: Pick<Finished, 'stderr'>): Line[] {
  const lines = stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  for (const { time, level, message } of lines) {
    expect(new Date(time).toISOString()).toBe(time);
    expect(['debug', 'info', 'warn', 'error']).toContain(level);
    expect(typeof message).toBe('string');
  }
  return lines;
}

const short = `
source:
  test-pattern: { width: 64, height: 48, frames: 20 }
sinks:
  - web: { port: 0, demand: always }
`;

/** Its third frame takes until there is a file called "go". */
const troubled = `
import { existsSync } from 'node:fs';
import { defineSink } from 'depthline';
import { z } from 'zod';

process.emitWarning('old ways', 'DeprecationWarning');
export const trouble = defineSink({
  name: 'trouble',
  summary: 'A sink with every kind of trouble.',
  accepts: ['image'],
  options: z.strictObject({}),
  examples: [{}],
  create: async () => {
    let nth = 0;
    return {
      write() {
        nth++;
        if (nth === 2) throw new Error('no room');
        const pause = new Int32Array(new SharedArrayBuffer(4));
        if (nth === 3) while (!existsSync('go')) Atomics.wait(pause, 0, 0, 50);
        if (nth === 20) setTimeout(() => { throw new Error('from a timer'); }, 1);
      },
    };
  },
});
`;

describe.concurrent('--log json', () => {
  it('prints messages and the summary as objects, and nothing else', async () => {
    const cwd = workplace({ 'p.yaml': short });
    const finished = await depthline(['run', 'p.yaml', '--log', 'json'], { cwd });
    expect(finished).toMatchObject({ code: 0, stdout: '' });
    const lines = linesOf(finished);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        component: 'web',
        message: expect.stringMatching(/^live view at http:/),
      }),
    );
    const last = lines.at(-1) as Line & { summary: Parameters<typeof imbalances>[0] };
    expect(last).toMatchObject({
      level: 'info',
      event: 'summary',
      summary: { captured: 20, branches: [{ name: 'web', captured: 20 }] },
    });
    expect(last.message).toMatch(/^p: 20 frames captured/);
    expect(imbalances(last.summary)).toEqual([0]);
  });

  it('leaves standard output to --stats json', async () => {
    const cwd = workplace({ 'p.yaml': short });
    const args = ['run', 'p.yaml', '--log', 'json', '--stats', 'json'];
    const finished = await depthline(args, { cwd });
    expect(JSON.parse(finished.stdout.trim().split('\n').at(-1) as string)).toMatchObject({
      type: 'summary',
    });
    expect(linesOf(finished).map(({ event }) => event)).not.toContain('summary');
  });

  it('masks secrets', async () => {
    const url = 'rtsp://user:hunter22@127.0.0.1:1/live';
    const file = `
source: { rtsp: { url: "${url}", restart: { limit: 0 } } }
sinks: [discard]
`;
    const cwd = workplace({ 'p.yaml': file });
    const finished = await depthline(['run', 'p.yaml', '--log', 'json'], { cwd });
    expect(finished.code).toBe(1);
    expect(linesOf(finished).at(-1)).toMatchObject({
      level: 'error',
      code: 'SOURCE',
      at: 'source rtsp',
      message: expect.stringMatching(/^source rtsp: /),
    });
    expect(finished.stderr).not.toContain('hunter22');
  });

  it('prints mistakes in the file as one object', async () => {
    const file = 'source: { test-patern: {} }\nsinks: [dicard]\n';
    const finished = await depthline(['run', 'p.yaml', '--log', 'json'], {
      cwd: workplace({ 'p.yaml': file }),
    });
    expect(finished.code).toBe(2);
    const lines = linesOf(finished);
    expect(lines).toEqual([expect.objectContaining({ level: 'error', code: 'CONFIG' })]);
    expect(lines[0]?.message).toMatch(/^p\.yaml:1:11: .*\np\.yaml:2:9: /);
  });

  it('prints every kind of trouble as an object', async () => {
    const file = `
use: ./trouble.mjs
source:
  test-pattern: { width: 64, height: 48, fps: 20, realtime: true }
sinks:
  - trouble: {}
    on-error: skip
`;
    const cwd = projectFolder({ 'trouble.mjs': troubled, 'p.yaml': file });
    const run = start(['run', 'p.yaml', '--log', 'json'], { cwd });
    await until(() => run.stderr.includes('no room'));
    run.child.kill('SIGUSR2');
    await until(() => run.stderr.includes('has been busy for'));
    writeFileSync(join(cwd, 'go'), '');
    const finished = await run.finished;
    expect(finished.code).toBe(1);
    const found = linesOf(finished);
    const expected = [
      { level: 'warn', message: 'DeprecationWarning: old ways' },
      { level: 'warn', component: 'trouble', message: expect.stringContaining('no room') },
      { level: 'warn', stage: 'trouble', message: expect.stringContaining('has been busy for') },
      { level: 'info', event: 'stages', stages: expect.arrayContaining([expect.anything()]) },
      { level: 'error', code: 'OPERATOR', message: 'uncaught error: from a timer' },
    ];
    for (const line of expected) expect(found).toContainEqual(expect.objectContaining(line));
  });
});
