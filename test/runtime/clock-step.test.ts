import { expect, it } from 'vitest';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, ticker } from '../support/parts.ts';

it.each([
  [8 * 365 * 86_400_000, 'forward by 2920 days'],
  [-5_400_000, 'back by 90 min'],
])('a step of the clock by %i ms is reported once', async (jump, text) => {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  let listeners = 0;
  const stepping = Object.assign(clock, {
    onStep(listener: (jumpMs: number) => void) {
      listeners++;
      clock.after(55, () => listener(jump));
      return () => listeners--;
    },
  });
  const run = await startPipeline(
    definePipeline({ source: ticker({ frames: 10 }), sinks: [collector(clock)({})] }),
    {
      clock: stepping,
      log: { debug: () => {}, info: () => {}, warn: (message) => warnings.push(message) },
    },
  );
  const summary = await clock.until(run.done);
  expect(summary.captured).toBe(10);
  expect(warnings).toEqual([
    `the system clock was set ${text}; timestamps follow it, ages are not affected`,
  ]);
  expect(listeners).toBe(0);
});
