import { describe, expect, it } from 'vitest';
import { summarise } from '../../src/benchmark/pipeline-bench.ts';
import type { Round } from '../../src/benchmark/pipeline-round.ts';
import { Ages, limitOf, measurement, type Sample } from '../../src/benchmark/samples.ts';

interface Child {
  readonly ms: number;
  readonly output: boolean;
}

const capture = (ms: number): Child => ({ ms, output: false });
const output = (ms: number): Child => ({ ms, output: true });

/** A look at second `n` of a run of 100 fps, whose every counter is known. */
function look(n: number, children: Record<number, Child>, over: Partial<Sample> = {}): Sample {
  return {
    at: 5000 + 1000 * n,
    frames: 40 + 100 * n,
    seen: 30 + 50 * n,
    own: 900 + 800 * n,
    main: 100 + 200 * n,
    inference: 50 + 450 * n,
    zeromq: 7 + 50 * n,
    children: new Map(Object.entries(children).map(([pid, child]) => [Number(pid), child])),
    machine: 70_000 + 1500 * n,
    active: 400 + 400 * n,
    stages: new Map([
      ['smooth', 10 + 40 * n],
      ['zeromq', 20 * n],
    ]),
    heldBy: [],
    held: 1_024_000,
    memoryMiB: 200 + n,
    joules: 3 + 5 * n,
    ...over,
  };
}

describe('what a pipeline has used between two looks', () => {
  it('is the difference of each counter, per frame', () => {
    const result = measurement([
      look(0, { 7: capture(1000), 8: output(400) }),
      look(1, { 7: capture(1100), 8: output(430) }),
      look(2, { 7: capture(1200), 8: output(460) }),
    ]);
    expect(result).toMatchObject({
      seconds: 2,
      frames: 200,
      fps: 100,
      modelFps: 50,
      busyWorkers: 0.45,
      peakMemoryMiB: 202,
      joules: 10,
    });
    expect(result.cpu).toEqual({
      total: (1600 + 200 + 60) / 200,
      capture: 1,
      output: 0.3,
      main: 2,
      inference: 4.5,
      zeromq: 0.5,
      others: (1600 - 400 - 900 - 100) / 200,
    });
    // The main thread had a processor for half of the time in which it was not idle.
    expect(result.stages).toEqual({ smooth: (0.5 * 80) / 200, zeromq: (0.5 * 40) / 200 });
    expect(result.foreignProcessors).toBeCloseTo((3000 - 1600 - 260) / 2000);
  });

  it('a process that ends in between counts as last seen: nothing becomes negative', () => {
    const { cpu } = measurement([
      look(0, { 7: capture(1000), 8: output(400) }),
      look(1, { 7: capture(1150), 8: output(430) }),
      look(2, {}),
    ]);
    expect([cpu.capture, cpu.output]).toEqual([0.75, 0.15]);
    expect(cpu.total).toBeCloseTo((1600 + 150 + 30) / 200);
  });

  it('a process that is started in between counts from its start', () => {
    const { cpu } = measurement([
      look(0, { 7: capture(1000) }),
      look(1, { 7: capture(1010), 9: capture(90) }),
      look(2, { 9: capture(190) }),
    ]);
    expect(cpu.capture).toBe((10 + 190) / 200);
  });

  it('memory that was allocated is what grew, not what was freed', () => {
    const held = [1024, 5 * 1024, 2 * 1024, 4 * 1024].map((kib) => kib * 1024);
    const samples = held.map((value, n) => look(n, {}, { held: value }));
    expect(measurement(samples).allocatedKiBPerFrame).toBe((4 * 1024 + 2 * 1024) / 300);
  });

  it('what held the source counts by its share of the looks', () => {
    const heldBy = [['video'], ['video'], [], ['video', 'web'], []];
    const samples = heldBy.map((names, n) => look(n, {}, { heldBy: names }));
    expect(measurement(samples).heldBy).toEqual({ video: 0.5, web: 0.25 });
  });
});

describe('what limits the speed', () => {
  const held = (share: number) =>
    Array.from({ length: 11 }, (_, n) =>
      look(n, {}, { heldBy: n <= share * 10 ? ['sinks[0] video'] : [] }),
    );

  it('is the model where its workers are busy', () => {
    expect(limitOf({ ...measurement(held(1)), busyWorkers: 1.8 }, 2)).toBe('the model');
  });

  it('is what holds the source, else the source', () => {
    expect(limitOf(measurement(held(0.6)), 1)).toBe('sinks[0] video');
    expect(limitOf(measurement(held(0.1)), 1)).toBe('the source');
  });
});

describe('latency', () => {
  it('is that of frames within the measurement only', () => {
    const ages = new Ages();
    for (let i = 0; i < 20; i++) ages.add('web', 75);
    ages.begin();
    for (let ms = 1; ms <= 100; ms++) ages.add('web', ms);
    ages.end();
    ages.add('web', 5000);
    expect(ages.percentiles()).toEqual({ web: { p50: 50, p95: 95, p99: 99 } });
  });
});

describe('the result of several rounds', () => {
  const round = (speed: number): Round => ({
    ...measurement([look(0, { 7: capture(0) }), look(1, { 7: capture(100) })]),
    fps: 2 * speed,
    modelFps: speed,
    busyWorkers: 0.9,
    eventLoopMs: { p50: 1, p99: speed },
    latencyMs: { web: { p50: 4, p95: 5, p99: 6 } },
    startUpMs: 300,
  });

  it('compares the frames that the model saw with the bare model beside each round', () => {
    const limits = [100, 200, 300].map((fps) => ({ fps, cpuMsPerFrame: 4 }));
    const result = summarise([round(75), round(200)], limits, 1);
    expect(result.ratio).toMatchObject({ min: 0.5, max: 0.8, rounds: 2 });
    expect(result.limitedBy).toBe('the model');
    expect(result.fps).toMatchObject({ min: 150, max: 400 });
    expect(result.cpuMsPerFrame.mainThread.median).toBeCloseTo(2 - (0.5 * 60) / 100);
    expect(result.cpuMsPerFrame.bareInference?.median).toBe(4);
    expect(result.latencyMs.web?.p95.median).toBe(5);
    expect(result.startUpMs.median).toBe(300);
  });

  it('has no ratio without a model', () => {
    const result = summarise([round(75)], [], 1);
    expect(result.ratio).toBeUndefined();
    expect(result.limitedBy).toBeUndefined();
  });
});
