import type { Gate } from '../core/gate.ts';
import type { StageState } from '../core/run-stats.ts';
import type { StageLedger } from './ledger.ts';
import type { SourcePace } from './source-pace.ts';

/** A stage and its place in the pipeline. */
export interface WatchedStage {
  readonly kind: StageState['kind'];
  /** Absent for what all branches share. */
  readonly branch?: string | undefined;
  readonly ledger: StageLedger;
  /** Nothing before the source. */
  readonly before?: WatchedStage | undefined;
}

/** The stages of a run in the order in which frames pass them; a branch begins with its queue. */
export function watchedStages(
  source: StageLedger,
  trunk: readonly StageLedger[],
  branches: readonly {
    readonly name: string;
    readonly own: readonly StageLedger[];
    readonly takes?: 'source' | undefined;
  }[],
): WatchedStage[] {
  const all: WatchedStage[] = [];
  const add = (
    kind: StageState['kind'],
    ledger: StageLedger,
    before?: WatchedStage,
    branch?: string,
  ) => {
    const stage = { kind, ledger, before, branch };
    all.push(stage);
    return stage;
  };
  const start = add('source', source);
  const end = trunk.reduce((last, ledger) => add('operator', ledger, last), start);
  for (const { name, own, takes } of branches) {
    let last = takes === 'source' ? start : end;
    for (const [i, ledger] of own.entries()) {
      const kind = i === 0 ? 'queue' : i < own.length - 1 ? 'operator' : 'sink';
      last = add(kind, ledger, last, name);
    }
  }
  return all;
}

/** A stage is stalled once it has been quiet for this long and for this many usual frame times. */
const patienceMs = 2000;
const patienceFrames = 5;
/** The same for a source, whose frames are timed one by one, so that 2 s are kept however late one looks. */
const sourcePatienceMs = 1500;
/** A stage is running while it has been quiet for at most this long, or for so many frame times. */
const recentMs = 500;
const recentFrames = 2;

interface Progress {
  done: number;
  at: number;
  /** Frames that an operator had swallowed when it last emitted one. */
  swallowed: number;
}

/**
 * Determines the state of every stage of a run. Progress of the source is measured frame by frame, that
 * of the others from one look to the next.
 */
export class StageWatch {
  readonly #stages: readonly WatchedStage[];
  readonly #gate: Gate;
  readonly #pace: SourcePace;
  readonly #start: number;
  readonly #progress = new Map<WatchedStage, Progress>();

  /** @param stages every stage after those before it */
  constructor(stages: readonly WatchedStage[], gate: Gate, pace: SourcePace, now: number) {
    this.#stages = stages;
    this.#gate = gate;
    this.#pace = pace;
    this.#start = now;
    for (const stage of stages) this.#progress.set(stage, { done: 0, at: now, swallowed: 0 });
  }

  look(now: number): StageState[] {
    const states = new Map<WatchedStage, StageState>();
    for (const stage of this.#stages) states.set(stage, this.#own(stage, now));
    for (const [stage, state] of states) {
      const on = this.#cause(stage, state, states);
      if (on !== undefined) states.set(stage, { ...state, on });
    }
    return [...states.values()];
  }

  /** The state of a stage on its own, without its cause. */
  #own(stage: WatchedStage, now: number): StageState {
    const { kind, branch, ledger } = stage;
    const lost = kind === 'source' ? ledger.reconnectingSince : undefined;
    const { state, quietMs } =
      kind === 'source' ? this.#source(ledger, now) : this.#other(stage, now);
    return {
      stage: ledger.name,
      kind,
      ...(branch !== undefined && { branch }),
      state,
      ...(lost !== undefined && { since: new Date(Number(lost / 1_000_000n)).toISOString() }),
      quietMs,
      entered: ledger.entered,
      left: ledger.left,
      inside: ledger.inFlight,
      dropped: ledger.totalDropped,
      failed: ledger.failed,
      ...(ledger.queued !== undefined && { queued: ledger.queued }),
      restarts: ledger.restarts,
    };
  }

  #source(ledger: StageLedger, now: number): Pick<StageState, 'state' | 'quietMs'> {
    const { usualMs } = this.#pace;
    const quietMs = this.#pace.quietMs(now);
    const state = () => {
      if (ledger.reconnectingSince !== undefined) return 'reconnecting';
      if (!this.#gate.open) return 'blocked';
      if (ledger.left > 0 && isRecent(quietMs, usualMs)) return 'running';
      return quietMs > Math.max(sourcePatienceMs, patienceFrames * usualMs) ? 'stalled' : 'waiting';
    };
    return { state: state(), quietMs };
  }

  #other(stage: WatchedStage, now: number): Pick<StageState, 'state' | 'quietMs'> {
    const { kind, ledger } = stage;
    const progress = this.#progress.get(stage) as Progress;
    const done = kind === 'queue' ? ledger.left : finished(ledger);
    if (done !== progress.done)
      Object.assign(progress, { done, at: now, swallowed: ledger.unexplained });
    const quietMs = now - progress.at;
    const usualMs = (progress.at - this.#start) / Math.max(1, done);
    const moved = done > 0 && isRecent(quietMs, usualMs);
    const patient = quietMs <= Math.max(patienceMs, patienceFrames * usualMs);
    const swallowed = kind === 'operator' && ledger.unexplained > progress.swallowed;
    const inside = ledger.inFlight;
    const state = () => {
      if (kind === 'queue') return inside > 0 ? 'blocked' : moved ? 'running' : 'waiting';
      if (moved) return 'running';
      if (inside === 0 && !swallowed) return 'waiting';
      return patient ? 'running' : 'stalled';
    };
    return { state: state(), quietMs };
  }

  #cause(
    stage: WatchedStage,
    { state }: StageState,
    states: ReadonlyMap<WatchedStage, StageState>,
  ): string | undefined {
    if (state === 'blocked') {
      if (stage.kind === 'source') return this.#gate.holders.join(', ');
      // Frames leave a queue one at a time: the first stage behind it that has one keeps the rest.
      let behind = stage;
      for (;;) {
        const next = this.#stages.find(({ before }) => before === behind);
        if (!next) return behind.ledger.name;
        behind = next;
        const { inside, state: its } = states.get(next) as StageState;
        if (inside > 0 || its === 'stalled') return behind.ledger.name;
      }
    }
    if (state !== 'waiting') return undefined;
    let above = stage.before;
    while (above?.before && states.get(above)?.state === 'waiting') above = above.before;
    return above?.ledger.name ?? 'the next frame';
  }
}

function isRecent(quietMs: number, usualMs: number): boolean {
  return quietMs <= Math.max(recentMs, recentFrames * usualMs);
}

function finished(ledger: StageLedger): number {
  return ledger.left + ledger.failed + ledger.totalDropped;
}
