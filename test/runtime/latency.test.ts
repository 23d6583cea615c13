import { describe, expect, it } from 'vitest';
import { LatencyRecorder } from '../../src/runtime/latency.ts';

/** Holds 1 to `n` ms, each once. */
function upTo(n: number): LatencyRecorder {
  const recorder = new LatencyRecorder();
  for (let ms = 1; ms <= n; ms++) recorder.record(ms);
  return recorder;
}

describe('a latency recorder', () => {
  it('has percentiles, to three digits, once something is recorded', () => {
    expect(new LatencyRecorder().percentiles()).toBeUndefined();
    const { p50, p95, p99 } = upTo(1000).percentiles() as { p50: number; p95: number; p99: number };
    expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.002);
    expect(Math.abs(p95 / 950 - 1)).toBeLessThan(0.002);
    expect(Math.abs(p99 / 990 - 1)).toBeLessThan(0.002);
  });

  it('counts what another has recorded', () => {
    const recorder = upTo(10);
    recorder.add(upTo(1000));
    expect(recorder.count).toBe(1010);
    expect(recorder.percentiles()?.p99).toBeGreaterThan(900);
  });

  it('takes any number: nothing is below a microsecond, and nothing too long', () => {
    const recorder = new LatencyRecorder();
    for (const ms of [0, -5, 0.0001, 1e300, Number.MAX_VALUE]) recorder.record(ms);
    expect(recorder.count).toBe(5);
    expect(recorder.percentiles()?.p50).toBe(0.001);
  });
});
