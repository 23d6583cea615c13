import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunStats, StageState } from '../../src/core/run-stats.ts';
import type { Run } from '../../src/runtime/run-handle.ts';
import { readiness } from '../../src/serve/run-health.ts';
import { leftBehind } from '../support/cli.ts';
import { processesOf } from '../support/processes.ts';
import { serveRun } from '../support/served-run.ts';

const stage = (name: string, kind: StageState['kind'], more: Partial<StageState>): StageState => ({
  stage: name,
  kind,
  state: 'running',
  quietMs: 0,
  ...{ entered: 1, left: 1, inside: 0, dropped: 0, failed: 0, restarts: 0 },
  ...more,
});

function ready(
  source: Partial<StageState>,
  { sink = {}, ...more }: Partial<RunStats> & { sink?: Partial<StageState> } = {},
) {
  const stats: RunStats = {
    ...{
      captured: 1,
      processed: 1,
      elapsedMs: 1,
      ending: false,
      paused: false,
      branches: [],
      heldBy: [],
    },
    stages: [stage('camera', 'source', source), stage('file', 'sink', sink)],
    ...more,
  };
  return readiness({ stats: () => stats } as Run);
}

describe('whether a run is ready', () => {
  it.each([
    ['before it has started', readiness(undefined), 'starting: components are opening'],
    [
      'before the first frame',
      ready({ left: 0, state: 'waiting' }),
      'starting: source camera has given no frame yet',
    ],
    [
      'while the source is reconnecting',
      ready({ state: 'reconnecting', since: '2026-03-01T12:00:05.123Z' }),
      'source camera has been reconnecting since 2026-03-01T12:00:05.123Z',
    ],
    [
      'while the source is stalled',
      ready({ state: 'stalled', quietMs: 1640 }),
      'source camera has given no frame for 1.6 s',
    ],
    [
      'while a sink is stalled',
      ready({}, { sink: { state: 'stalled', quietMs: 2400 } }),
      'file has stalled for 2.4 s',
    ],
    ['at its end', ready({}, { ending: true }), 'stopping: no more frames are captured'],
  ])('is not %s', (_, health, why) => {
    expect(health).toEqual({ ok: false, why });
  });

  it('is while frames flow, and while nobody wants them', () => {
    expect(ready({})).toEqual({ ok: true, why: 'running' });
    expect(ready({ state: 'waiting' })).toEqual({ ok: true, why: 'running' });
    expect(ready({ state: 'blocked' }, { paused: true })).toEqual({ ok: true, why: 'paused' });
    expect(ready({ state: 'reconnecting', left: 0 }, { paused: true })).toEqual({
      ok: true,
      why: 'paused',
    });
    const held = ready({ state: 'blocked', left: 0 }, { heldBy: ['a subscriber'] });
    expect(held).toEqual({ ok: true, why: 'waiting for a subscriber' });
  });
});

describe('a served run', () => {
  const file = `
use: ./parts.mjs
source:
  runs-dry: { dries-with: dry, every-ms: 50 }
sinks:
  - takes-time: { ms: 0, opens-with: opened }
`;

  it('answers from its start to its end, and says what it waits for', async () => {
    const run = await serveRun(file);
    const ask = async (path: string) => {
      const answer = await fetch(`${run.address}${path}`);
      return `${answer.status} ${(await answer.text()).trim()}`;
    };
    expect(await ask('readyz')).toBe('503 starting: components are opening');
    expect(await ask('healthz')).toBe('200 starting');
    expect(await (await fetch(`${run.address}metrics`)).text()).toMatch(/^depthline_ready 0$/m);
    writeFileSync(join(run.cwd, 'opened'), '');
    await expect.poll(() => ask('readyz')).toBe('200 running');
    expect(await ask('healthz')).toBe('200 running');
    writeFileSync(join(run.cwd, 'dry'), '');
    const dry = /^503 source runs-dry has given no frame for \d\.\d s$/;
    await expect.poll(() => ask('readyz')).toMatch(dry);
    expect(await ask('healthz')).toBe('200 running');
    run.child.kill('SIGINT');
    expect(await run.finished).toMatchObject({ code: 0 });
    await expect(ask('readyz')).rejects.toThrow();
    expect(await leftBehind(run)).toEqual([]);
  });

  it('notices a capture process that hangs, and that it is back', async () => {
    // It is not replaced while it is stopped.
    const run = await serveRun(`
source:
  test-pattern: { width: 64, height: 48, fps: 30, realtime: true, restart: { stalled-after: 60s } }
sinks: [discard]
`);
    const ask = async () => {
      const answer = await fetch(`${run.address}readyz`);
      return `${answer.status} ${(await answer.text()).trim()}`;
    };
    await expect.poll(ask).toBe('200 running');
    const { pid } = run.child;
    const [capture] = processesOf('', pid);
    expect(capture).toBeDefined();
    process.kill(capture as number, 'SIGSTOP');
    const stalled = /^503 source test-pattern has given no frame for \d\.\d s$/;
    await expect.poll(ask).toMatch(stalled);
    process.kill(capture as number, 'SIGCONT');
    await expect.poll(ask).toBe('200 running');
    run.child.kill('SIGINT');
    expect(await run.finished).toMatchObject({ code: 0 });
  });

  it('names no reason to those without the token', async () => {
    const token = 'a-long-enough-token';
    const run = await serveRun(file, { env: { DEPTHLINE_SERVE_TOKEN: token } });
    const unnamed = await fetch(`${run.address}readyz`);
    expect([unnamed.status, await unnamed.text()]).toEqual([503, 'not ok\n']);
    const named = await fetch(`${run.address}readyz`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(await named.text()).toMatch(/starting/);
    expect((await fetch(`${run.address}metrics`)).status).toBe(401);
    run.child.kill('SIGINT');
    const { stderr, stdout } = await run.finished;
    expect(stderr + stdout).not.toContain(token);
  });
});
