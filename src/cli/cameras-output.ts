import type { CameraStats, RunStats } from '../core/run-stats.ts';
import type { RunSummary } from '../runtime/run-handle.ts';
import { table } from './table.ts';

/** The status of a run of several cameras: one part for each. */
export function camerasText(stats: RunStats, last: RunStats | undefined): string {
  const seconds = Math.max((stats.elapsedMs - (last?.elapsedMs ?? 0)) / 1000, 1e-3);
  const rate = (now: number, before = 0) => ((now - before) / seconds).toFixed(1);
  const { cameras = [] } = stats;
  const parts = cameras.map((camera) => {
    const before = last?.cameras?.find(({ name }) => name === camera.name);
    if (camera.state === 'failed' || camera.state === 'ended')
      return `${camera.name} ${camera.state}`;
    return [
      `${camera.name} ${rate(camera.processed, before?.processed)}`,
      ageText(camera, stats),
      ...troubles(camera, stats),
    ].join('');
  });
  const held = stats.paused ? ' | paused' : '';
  const total = rate(stats.processed, last?.processed);
  return `${total} fps | ${stats.captured} captured | ${parts.join(' | ')}${held}`;
}

function ageText({ name }: CameraStats, { branches }: RunStats): string {
  const ages = branches.flatMap(({ camera, ageMs }) =>
    camera === name && ageMs !== undefined ? [ageMs] : [],
  );
  return ages.length === 0 ? '' : ` ${Math.round(Math.max(...ages))} ms`;
}

function troubles({ name }: CameraStats, { branches, stages }: RunStats): string[] {
  const dropped = Math.max(
    0,
    ...branches
      .filter(({ camera }) => camera === name)
      .map((branch) => branch.dropped.reduce((sum, { count }) => sum + count, 0)),
  );
  const bad = stages.find(
    ({ camera, state }) => camera === name && (state === 'stalled' || state === 'reconnecting'),
  );
  return [
    ...(dropped > 0 ? [` (${dropped} dropped)`] : []),
    ...(bad ? [`, ${bad.stage.slice(name.length + 1)} ${bad.state}`] : []),
  ];
}

/** What became of each camera; nothing for a run of one source. */
export function camerasTable({ cameras }: RunSummary): string[] {
  if (!cameras) return [];
  const rows = cameras.map(({ name, captured, fps, latencyMs, error }) => [
    name,
    String(captured),
    fps.toFixed(1),
    latencyMs ? `${latencyMs.p50.toFixed(0)} ms` : '–',
    latencyMs ? `${latencyMs.p95.toFixed(0)} ms` : '–',
    error ? 'failed' : 'ok',
  ]);
  const head = ['camera', 'captured', 'fps', 'age p50', 'age p95', ''];
  // Why it has failed was told when it did.
  return ['', table([head, ...rows])];
}
