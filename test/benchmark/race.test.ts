import { expect, test } from 'vitest';
import { type Mark, usage } from '../../bench/support/race.ts';

const mark = (over: Partial<Mark>): Mark => ({
  at: 0,
  processed: 0,
  cpu: 0,
  memory: 0,
  proportional: 0,
  switches: 0,
  ...over,
});

test('what a program has used is the difference between the first mark and the last', () => {
  const marks = [
    mark({ at: 5000, processed: 150, cpu: 900, memory: 90, proportional: 60, switches: 1000 }),
    mark({ at: 6000, processed: 240, cpu: 1300, memory: 120, proportional: 50, switches: 1600 }),
    mark({ at: 7000, processed: 350, cpu: 1900, memory: 100, proportional: 70, switches: 2000 }),
  ];
  expect(usage(marks)).toEqual({
    fps: 100,
    cpuMsPerFrame: 5,
    cpu: 0.5,
    peakMemoryMiB: 120,
    peakProportionalMiB: 70,
    switchesPerFrame: 5,
  });
});
