import type { BranchStats, RunStats, StageState } from '../../src/core/run-stats.ts';

/** What the run does now, in one sentence: the worst that any stage says. */
export function runSentence({ stages, heldBy, ending, paused }: RunStats): string {
  if (ending) return 'The source has ended.';
  if (paused) return 'The run is paused.';
  const away = stages.find(({ state }) => state === 'reconnecting');
  if (away) return `${away.stage} has lost its input and is reconnecting.`;
  const stalled = stages.find(({ state }) => state === 'stalled');
  if (stalled) return `${stalled.stage} has stalled for ${seconds(stalled.quietMs)}.`;
  if (heldBy.length > 0) return `The source waits for ${heldBy.join(', ')}.`;
  // What a queue waits for is what is slow; a sink may wait for its next frame all the time.
  const blocked = stages.find(({ state }) => state === 'blocked');
  if (blocked) return `${blocked.stage} waits for ${blocked.on}.`;
  return stages.length === 0 ? 'The source has not started.' : 'All stages are running.';
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
