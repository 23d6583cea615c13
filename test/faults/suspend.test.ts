import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { imbalances, leftBehind, start, summaryOf, workplace } from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { processesOf } from '../support/processes.ts';

const pipeline = `
source:
  test-pattern: { width: 64, height: 48, fps: 30, realtime: true }
sinks:
  - file: { directory: out, format: png }
`;

/** A laptop that sleeps stops every process; a debugger or the memory of a cgroup stops one. */
const who: [string, (pid: number) => number[]][] = [
  ['the main process', (pid) => [pid]],
  ['the capture process', (pid) => processesOf('capture-host', pid)],
  ['both', (pid) => [pid, ...processesOf('capture-host', pid)]],
];

describe.concurrent.each(who)('after %s was suspended', (_, pick) => {
  it('a live run goes on with new frames, none of them from the future', async () => {
    const cwd = workplace({ 'p.yaml': pipeline });
    const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
    const main = running.child.pid as number;
    const pictures = () => {
      try {
        return readdirSync(join(cwd, 'out')).filter((name) => name.endsWith('.png')).length;
      } catch {
        return 0;
      }
    };
    await until(() => pictures() > 20);
    const pids = pick(main);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const asleep = Date.now();
    await sleep(1500);
    const awake = Date.now();
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    const before = pictures();
    await until(() => pictures() > before + 30);
    running.child.kill('SIGINT');
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    expect(imbalances(summaryOf(finished))).toEqual([0]);
    expect(await leftBehind(running)).toEqual([]);

    const [head = '', ...rows] = readFileSync(join(cwd, 'out', 'index.csv'), 'utf8')
      .trim()
      .split('\n');
    const column = head.split(',').indexOf('capturedAt');
    const captured = rows.map((row) => Number(row.split(',')[column]) / 1e6);
    expect(captured).toEqual(captured.toSorted((a, b) => a - b));
    expect(captured.filter((at) => at > Date.now())).toEqual([]);
    // What was on its way when they were stopped, and no queue full of what nobody could see.
    const stale = captured.filter((at) => at > asleep + 100 && at < awake - 100);
    expect(stale.length).toBeLessThanOrEqual(4);
  });
});
