import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measured } from '../src/benchmark/statistics.ts';
import type { Bench } from './support/bench.ts';

const command = fileURLToPath(new URL('../bin/depthline', import.meta.url));
const pipeline = `
source:
  test-pattern: { width: 640, height: 480, fps: 30, realtime: true }
operators:
  - estimate-depth
  - smooth
sinks:
  - file: { directory: depth, format: png16 }
  - video: { path: depth.mkv }
`;
/** From before the modules are loaded to the middle of the run, milliseconds after the start. */
const moments = [100, 200, 300, 400, 500, 600, 700, 800, 1000, 1500, 2000, 3000];

/** Ctrl-C at different moments: the time until files are finished and all processes have exited. */
export const interrupt: Bench = {
  name: 'interrupt',
  summary: 'Ctrl-C while a pipeline writes files and a video',
  async run(_, print) {
    const folder = mkdtempSync(join(tmpdir(), 'depthline-bench-'));
    try {
      writeFileSync(join(folder, 'p.yaml'), pipeline);
      const times: number[] = [];
      for (const moment of moments) times.push(await endsAfter(moment, folder));
      print('from Ctrl-C to the end', 'ms', measured(times));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function endsAfter(moment: number, cwd: string): Promise<number> {
  const child = spawn(command, ['run', 'p.yaml', '--stats', 'none'], { cwd, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await sleep(moment);
  const start = performance.now();
  child.kill('SIGINT');
  await ended;
  return performance.now() - start;
}
