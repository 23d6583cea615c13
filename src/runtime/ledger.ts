/** Frames dropped at one stage for one reason. */
export interface Drop {
  readonly stage: string;
  readonly reason: string;
  readonly count: number;
}

/**
 * The account of one branch, from the source to its sink. When the run has ended,
 * `captured + added = delivered + Σ dropped + failed`, and `added` is 0 unless an operator emits
 * more frames than it gets.
 */
export interface BranchAccount {
  readonly name: string;
  readonly captured: number;
  readonly added: number;
  readonly delivered: number;
  readonly dropped: readonly Drop[];
  readonly failed: number;
  /** Frames that are still on their way; 0 at the end. */
  readonly inFlight: number;
}

/** Counts the frames that enter and leave one stage. */
export class StageLedger {
  readonly name: string;
  entered = 0;
  left = 0;
  failed = 0;
  /** Frames inside an asynchronous stage, as it reports them. */
  inFlight = 0;
  restarts = 0;
  /** When a source lost what it reads, nanoseconds since the Unix epoch; undefined while it has it. */
  reconnectingSince: bigint | undefined;
  readonly dropped = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  drop(n: number, reason: string): void {
    if (n > 0) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + n);
  }

  get totalDropped(): number {
    let total = 0;
    for (const n of this.dropped.values()) total += n;
    return total;
  }

  /** Frames that entered and of which nothing is known: swallowed (> 0) or multiplied (< 0). */
  get unexplained(): number {
    return this.entered - this.left - this.failed - this.inFlight - this.totalDropped;
  }

  /** Drops that somebody counted. */
  counted(): Drop[] {
    return [...this.dropped].map(([reason, count]) => ({ stage: this.name, reason, count }));
  }

  /** Those, and what the stage swallowed. */
  drops(): Drop[] {
    const drops = this.counted();
    if (this.unexplained > 0) {
      drops.push({ stage: this.name, reason: 'filtered', count: this.unexplained });
    }
    return drops;
  }
}

/** Adds up the stages from source to sink. The first is the source, the last one the sink. */
export function branchAccount(name: string, stages: readonly StageLedger[]): BranchAccount {
  const source = stages[0] as StageLedger;
  const sink = stages.at(-1) as StageLedger;
  const before = stages.slice(0, -1);
  return {
    name,
    captured: source.entered,
    added: sum(before, (stage) => Math.max(0, -stage.unexplained)),
    delivered: sink.left,
    dropped: mergeDrops([...before.flatMap((stage) => stage.drops()), ...sink.counted()]),
    failed: sum(stages, (stage) => stage.failed),
    // A sink swallows nothing: what it has not written yet, it is writing.
    inFlight: sum(before, (stage) => stage.inFlight) + sink.unexplained,
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
