import type { BranchAccount, Drop } from '../core/run-stats.ts';

/** Counts the frames that enter and leave one stage. */
export class StageLedger {
  readonly name: string;
  /** An operator may swallow or add frames unnoticed; any other stage accounts for each. */
  readonly isOperator: boolean;
  entered = 0;
  left = 0;
  failed = 0;
  /** Frames inside an asynchronous stage, a queue or a sink, as it reports them. */
  inFlight = 0;
  /** Those of them that wait in the stage's queue; undefined for a stage that has none. */
  queued: number | undefined;
  restarts = 0;
  /** When a source lost what it reads, nanoseconds since the Unix epoch; undefined while it has it. */
  reconnectingSince: bigint | undefined;
  /** Of an operator: its input has completed. */
  inputEnded = false;
  /** Of an operator: it has completed, failed, or was ended. */
  ended = false;
  readonly dropped = new Map<string, number>();

  constructor(name: string, isOperator = false) {
    this.name = name;
    this.isOperator = isOperator;
  }

  drop(n: number, reason: string): void {
    if (n > 0) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + n);
  }

  get totalDropped(): number {
    let total = 0;
    for (const n of this.dropped.values()) total += n;
    return total;
  }

  /** Frames that are not accounted for: swallowed (> 0) or added (< 0). */
  get unexplained(): number {
    return this.entered - this.left - this.failed - this.inFlight - this.totalDropped;
  }

  /** What was dropped, with what an operator swallowed. */
  drops(): Drop[] {
    const stage = this.name;
    const drops = [...this.dropped].map(([reason, count]) => ({ stage, reason, count }));
    if (this.isOperator && this.unexplained > 0) {
      drops.push({ stage, reason: 'filtered', count: this.unexplained });
    }
    return drops;
  }
}

/** Adds up the stages from source to sink. The first is the source, the last one the sink. */
export function branchAccount(name: string, stages: readonly StageLedger[]): BranchAccount {
  const source = stages[0] as StageLedger;
  const sink = stages.at(-1) as StageLedger;
  return {
    name,
    captured: source.entered,
    added: sum(stages, (stage) => (stage.isOperator ? Math.max(0, -stage.unexplained) : 0)),
    delivered: sink.left,
    dropped: mergeDrops(stages.flatMap((stage) => stage.drops())),
    failed: sum(stages, (stage) => stage.failed),
    inFlight: sum(stages, (stage) => stage.inFlight),
  };
}

/** What the ledger law leaves over: 0 when every frame is accounted for. */
export function imbalance(account: BranchAccount): number {
  return (
    account.captured +
    account.added -
    account.delivered -
    account.failed -
    account.inFlight -
    sum(account.dropped, (drop) => drop.count)
  );
}

/**
 * Where the ledger law is broken after the end of a run, stage by stage, in words. Errors of two
 * stages that cancel out in the account of the branch show here.
 */
export function ledgerViolations(stages: readonly StageLedger[]): string[] {
  return stages.flatMap((stage, i) => {
    const { name, left, unexplained, inFlight } = stage;
    const next = stages[i + 1];
    const problems: string[] = [];
    if (inFlight !== 0) problems.push(`${name}: ${frames(inFlight)} in flight after the end`);
    if (!stage.isOperator && unexplained > 0)
      problems.push(`${name}: ${frames(unexplained)} not accounted for`);
    if (!stage.isOperator && unexplained < 0)
      problems.push(`${name}: ${frames(-unexplained)} counted twice`);
    if (next && next.entered !== left)
      problems.push(`${frames(left)} left ${name}, but ${next.entered} entered ${next.name}`);
    return problems;
  });
}

function frames(n: number): string {
  return `${n} frame${n === 1 ? '' : 's'}`;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function mergeDrops(drops: readonly Drop[]): Drop[] {
  const merged = new Map<string, Drop>();
  for (const drop of drops) {
    const key = `${drop.stage}\n${drop.reason}`;
    merged.set(key, { ...drop, count: drop.count + (merged.get(key)?.count ?? 0) });
  }
  return [...merged.values()];
}
