import type { CameraStats, RunStats } from '../core/run-stats.ts';
import type { Run } from '../runtime/run-handle.ts';

/** `why`: the reason if it is not well, else what it does. */
export interface Health {
  readonly ok: boolean;
  readonly why: string;
}

const starting: Health = { ok: false, why: 'starting: components are opening' };

/** Whether frames flow: what `/readyz` answers. */
export function readiness(run: Run | undefined): Health {
  if (!run) return starting;
  const stats = run.stats();
  return stats.cameras ? ofCameras(stats, stats.cameras) : ofStages(stats);
}

/** Of several cameras: frames of one of them are enough. What is wrong with the others is told. */
function ofCameras(stats: RunStats, cameras: readonly CameraStats[]): Health {
  const each = cameras.map(({ name, state }) => {
    const prefix = `${name}/`;
    const stages = stats.stages.filter(({ camera }) => camera === name);
    const heldBy = stats.heldBy.filter((holder) => holder.startsWith(prefix));
    if (state === 'failed' || state === 'ended')
      return { ok: false, why: `camera ${name} has ${state}` };
    const { ok, why } = ofStages({ ...stats, ending: state === 'ending', stages, heldBy });
    return { ok, why: why.replaceAll(prefix, ''), prefix: `camera ${name}: ` };
  });
  const bad = each.filter(({ ok }) => !ok).map(({ prefix = '', why }) => prefix + why);
  const well = each.find(({ ok }) => ok);
  return { ok: well !== undefined, why: [...(well ? [well.why] : []), ...bad].join('; ') };
}

function ofStages({ ending, paused, stages, heldBy }: RunStats): Health {
  const bad = (why: string): Health => ({ ok: false, why });
  if (ending) return bad('stopping: no more frames are captured');
  const [source] = stages;
  if (!source) return starting;
  const { stage, state, since, quietMs, left } = source;
  const stalled = stages.find(({ state, kind }) => state === 'stalled' && kind !== 'source');
  if (stalled) return bad(`${stalled.stage} has stalled for ${seconds(stalled.quietMs)} s`);
  // Whoever has paused it expects no frames, wherever the source is.
  if (paused) return { ok: true, why: 'paused' };
  if (state === 'reconnecting') return bad(`source ${stage} has been reconnecting since ${since}`);
  if (state === 'stalled')
    return bad(`source ${stage} has given no frame for ${seconds(quietMs)} s`);
  if (state === 'blocked') return { ok: true, why: `waiting for ${heldBy.join(', ')}` };
  if (left === 0) return bad(`starting: source ${stage} has given no frame yet`);
  return { ok: true, why: 'running' };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
