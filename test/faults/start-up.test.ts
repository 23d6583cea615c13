import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Random } from '../../src/synthetic/random.ts';
import { imbalances, leftBehind, start, summaryOf, workplace } from '../support/cli.ts';

/** 40 of each in the long form: npm run soak:faults */
const moments = Number(process.env.FAULT_ROUNDS ?? 100) / 25;
/** From before the modules are loaded to the first frames, milliseconds after the start. */
const longestMs = 2500;

const pipeline = stringify({
  source: { 'test-pattern': { width: 64, height: 48, fps: 30, realtime: true } },
  operators: [{ 'estimate-depth': { tuned: 'off' } }, 'smooth'],
  sinks: [
    { file: { directory: 'depth', format: 'png16' } },
    { video: { path: 'depth.mkv', codec: 'mjpeg' } },
  ],
});

describe('a signal at any moment of the start', () => {
  const random = new Random(7);
  const cases = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const).flatMap((signal) =>
    Array.from({ length: Math.ceil(moments / 4) }, (_, i) => {
      const part = longestMs / Math.ceil(moments / 4);
      return [signal, Math.round(part * i + random.range(0, part))] as const;
    }),
  );

  it.concurrent.each(cases)(
    '%s after %i ms ends the run and all of its processes',
    async (signal, ms) => {
      const cwd = workplace();
      writeFileSync(join(cwd, 'p.yaml'), pipeline);
      const running = start(['run', 'p.yaml', '--stats', 'json'], { cwd });
      await sleep(ms);
      running.child.kill(signal);
      const finished = await running.finished;
      expect(await leftBehind(running)).toEqual([]);
      expect(finished.stderr).not.toMatch(/^\s+at |terminate called/m);
      const files = readdirSync(cwd, { recursive: true }) as string[];
      if (signal === 'SIGKILL') return;
      // Before there is anything to close, the signal itself ends the process.
      expect([0, null]).toContain(finished.code);
      if (finished.code === null) expect(finished.signal).toBe(signal);
      if (finished.stdout.includes('"type":"summary"'))
        expect(imbalances(summaryOf(finished))).toEqual([0, 0]);
      expect(files.filter((name) => /\.part$|\.recording\./.test(name))).toEqual([]);
    },
  );
});
