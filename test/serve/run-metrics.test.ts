import { describe, expect, it } from 'vitest';
import type { RunStats, StageState } from '../../src/core/run-stats.ts';
import { RunMetrics } from '../../src/serve/run-metrics.ts';

const versions = { version: '1.2.3', node: '24.0.0', onnxruntime: '1.30.0' };

function stats(branches: string[], reasons: string[] = []): RunStats {
  const dropped = reasons.map((reason, i) => ({ stage: 'smooth', reason, count: i + 1 }));
  const account = {
    captured: 5,
    added: 0,
    delivered: 4,
    failed: 0,
    inFlight: 1,
    ageMs: 1,
    dropped,
  };
  const counts = { entered: 5, left: 4, inside: 1, dropped: 0, failed: 0, restarts: 0 };
  const stage = (name: string, more: Partial<StageState>): StageState => ({
    ...{ stage: name, kind: 'sink', state: 'running', quietMs: 0, ...counts, ...more },
  });
  return {
    ...{ captured: 5, processed: 5, elapsedMs: 2500, ending: false, paused: false, heldBy: [] },
    branches: branches.map((name) => ({ name, ...account })),
    stages: branches.map((name) => stage(name, { queued: 1 })),
  };
}

async function read(metrics: RunMetrics, of: RunStats | undefined) {
  const text = await metrics.render(
    () => of,
    () => true,
  );
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const named = (series: Record<string, number>, name: string) =>
  Object.fromEntries(Object.entries(series).filter(([key]) => key.startsWith(`${name}{`)));

describe('the metrics of a run', () => {
  it('add up reasons beyond the twentieth of a stage', async () => {
    const reasons = Array.from({ length: 30 }, (_, i) => `reason ${i}`);
    const series = await read(new RunMetrics(versions), stats(['a'], reasons));
    const drops = named(series, 'depthline_dropped_frames_total');
    expect(Object.keys(drops)).toHaveLength(21);
    expect(Object.values(drops).reduce((sum, n) => sum + n)).toBe((30 * 31) / 2);
    expect(drops['depthline_dropped_frames_total{branch="a",stage="smooth",reason="other"}']).toBe(
      21 + 22 + 23 + 24 + 25 + 26 + 27 + 28 + 29 + 30,
    );
  });

  it('name one model of a stage, whatever frames from elsewhere bring', async () => {
    const metrics = new RunMetrics(versions);
    for (let n = 0; n < 50; n++)
      metrics.worked('spatial', 1, { name: `model ${n}`, sha256: `${n}`.repeat(64) });
    const models = named(await read(metrics, undefined), 'depthline_model_info');
    expect(models).toEqual({
      'depthline_model_info{stage="spatial",model="model 49",sha256="494949494949"}': 1,
    });
  });

  it('shorten labels, and keep quotes and line ends in them', async () => {
    const long = `say "no"\n${'x'.repeat(5000)}`;
    const series = await read(new RunMetrics(versions), stats(['a'], [long]));
    const [key = ''] = Object.keys(named(series, 'depthline_dropped_frames_total'));
    expect(key).toContain('reason="say \\"no\\"\\nxxx');
    expect(key.length).toBeLessThan(200);
  });

  it('count frames and times in histograms', async () => {
    const metrics = new RunMetrics(versions);
    for (const ms of [3, 30, 300]) metrics.delivered('a', ms);
    metrics.worked('estimate-depth', 4, { name: 'fastdepth', sha256: 'ab'.repeat(32) });
    const series = await read(metrics, undefined);
    expect(series['depthline_frame_age_seconds_count{branch="a"}']).toBe(3);
    expect(series['depthline_frame_age_seconds_sum{branch="a"}']).toBeCloseTo(0.333);
    expect(series['depthline_frame_age_seconds_bucket{le="0.03",branch="a"}']).toBe(2);
    expect(series['depthline_inference_seconds_count{stage="estimate-depth"}']).toBe(1);
    const model = 'stage="estimate-depth",model="fastdepth",sha256="abababababab"';
    expect(series[`depthline_model_info{${model}}`]).toBe(1);
    const build = 'version="1.2.3",node="24.0.0",onnxruntime="1.30.0"';
    expect(series[`depthline_build_info{${build}}`]).toBe(1);
  });

  it('are those of one run: what another had is gone', async () => {
    const metrics = new RunMetrics(versions);
    metrics.delivered('old', 1);
    metrics.worked('old', 1, { name: 'm', sha256: 'a' });
    expect(JSON.stringify(await read(metrics, stats(['old'])))).toContain('old');
    metrics.reset();
    const series = await read(metrics, stats(['new']));
    expect(JSON.stringify(series)).not.toContain('old');
    expect(series['depthline_queue_frames{stage="new"}']).toBe(1);
    expect(series['depthline_delivered_frames_total{branch="new"}']).toBe(4);
  });

  it('have the processor time and memory of this process', async () => {
    const metrics = new RunMetrics(versions);
    const first = await read(metrics, undefined);
    const second = await read(metrics, undefined);
    const cpu = 'depthline_process_cpu_seconds_total{process="main"}';
    expect(first[cpu]).toBeCloseTo(process.cpuUsage().user / 1e6, -1);
    expect(second[cpu]).toBeGreaterThanOrEqual(first[cpu] as number);
    expect(second['depthline_process_resident_memory_bytes{process="main"}']).toBeGreaterThan(1e6);
    expect(second['depthline_processes{process="main"}']).toBe(1);
  });
});
