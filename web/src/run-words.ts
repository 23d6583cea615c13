import type { BranchStats, RunStats, StageState } from '../../src/core/run-stats.ts';

/**
 * What the run does now, in one sentence: the worst that any stage says.
 *
 * @param failures frames that have failed in a row, by stage
 */
export function runSentence(
  { stages, heldBy, ending, paused }: RunStats,
  failures: ReadonlyMap<string, number> = new Map(),
): string {
  if (ending) return 'The source has ended.';
  if (paused) return 'The run is paused.';
  const away = stages.find(({ state }) => state === 'reconnecting');
  if (away) return `${away.stage} has lost its input and is reconnecting.`;
  const stalled = stages.find(({ state }) => state === 'stalled');
  if (stalled) return `${stalled.stage} has stalled for ${seconds(stalled.quietMs)}.`;
  const failing = stages.find(({ stage }) => failures.has(stage));
  if (failing) {
    const count = failures.get(failing.stage) as number;
    return `${failing.stage} has failed on the last ${count === 1 ? 'frame' : `${count} frames`}.`;
  }
  if (heldBy.length > 0) return `The source waits for ${heldBy.join(', ')}.`;
  // What a queue waits for is what is slow; a sink may wait for its next frame all the time.
  const blocked = stages.find(({ state }) => state === 'blocked');
  if (blocked) return `${blocked.stage} waits for ${blocked.on}.`;
  return stages.length === 0 ? 'The source has not started.' : 'All stages are running.';
}

/** The part of one camera, of a run of several; its names without that of the camera. */
export function ofCamera(stats: RunStats, camera: string | undefined): RunStats {
  if (camera === undefined) return stats;
  const short = (name: string) => name.replace(`${camera}/`, '');
  const own = stats.cameras?.find(({ name }) => name === camera);
  return {
    ...stats,
    ending: own !== undefined && own.state !== 'running',
    heldBy: stats.heldBy.filter((name) => name.startsWith(`${camera}/`)).map(short),
    stages: stats.stages
      .filter((stage) => stage.camera === camera)
      .map((stage) => ({
        ...stage,
        stage: short(stage.stage),
        ...(stage.on !== undefined && { on: short(stage.on) }),
      })),
    branches: stats.branches
      .filter((branch) => branch.camera === camera)
      .map((branch) => ({ ...branch, name: short(branch.name) })),
  };
}

/** A sentence if the camera that is shown has failed. */
export function cameraFailed(
  { cameras = [] }: Pick<RunStats, 'cameras'>,
  shown: string | undefined,
): string | undefined {
  const failed = cameras.some(({ name, state }) => name === shown && state === 'failed');
  return failed ? `Camera ${shown} has failed.` : undefined;
}

/** A sentence for each other camera that gives no frames. */
export function otherCameras(
  { cameras = [], stages }: RunStats,
  shown: string | undefined,
): string[] {
  return cameras.flatMap(({ name, state }) => {
    if (name === shown) return [];
    if (state === 'failed' || state === 'ended') return [`Camera ${name} has ${state}.`];
    const bad = stages.find(
      (stage) => stage.camera === name && /reconnecting|stalled/.test(stage.state),
    );
    return bad ? [`Camera ${name}: ${bad.stage.replace(`${name}/`, '')} ${stateText(bad)}.`] : [];
  });
}

/** `waiting for estimate-depth`, `blocked by web`. */
export function stateText({ state, on, since, quietMs }: StageState): string {
  if (state === 'reconnecting' && since) return `reconnecting since ${since.slice(11, 19)} UTC`;
  if (state === 'stalled') return `stalled for ${seconds(quietMs)}`;
  if (on === undefined) return state;
  return `${state} ${state === 'blocked' ? 'by' : 'for'} ${on}`;
}

/** One row of the ledger: branch, captured, delivered, dropped, failed, in flight. */
export function ledgerRow(branch: BranchStats): string[] {
  const dropped = branch.dropped.reduce((sum, { count }) => sum + count, 0);
  const captured = `${branch.captured}${branch.added > 0 ? ` + ${branch.added} added` : ''}`;
  const rest = [branch.delivered, dropped, branch.failed, branch.inFlight].map(String);
  return [branch.name, captured, ...rest];
}

/** `web: 12 at web queue, queue full`, one per branch, stage and reason. */
export function dropTexts(branches: readonly BranchStats[]): string[] {
  return branches.flatMap(({ name, dropped }) =>
    dropped.map(({ stage, reason, count }) => `${name}: ${count} at ${stage}, ${reason}`),
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
