import type { BranchAccount, Drop } from '../core/run-stats.ts';

/**
 * Finds out which frames were lost before each frame that is recorded. The run counts drops as they
 * happen, ahead of the frames that still wait; they are given out by the gaps in `seq`.
 */
export class DropLog {
  readonly #counted = new Map<string, number>();
  readonly #waiting: Drop[] = [];
  #lastSeq: number | undefined;

  /**
   * Drops between the previous frame and this one.
   *
   * @param account of the branch now
   */
  before(seq: number, account: BranchAccount | undefined): Drop[] {
    this.#count(account);
    const gap = this.#lastSeq === undefined ? seq : seq - this.#lastSeq - 1;
    this.#lastSeq = seq;
    return this.#take(gap);
  }

  /** Drops since the last frame. */
  rest(account: BranchAccount | undefined): Drop[] {
    this.#count(account);
    return this.#take(Number.POSITIVE_INFINITY);
  }

  #count(account: BranchAccount | undefined): void {
    if (!account) return;
    const failed = { stage: account.name, reason: 'failed', count: account.failed };
    for (const { stage, reason, count } of [...account.dropped, failed]) {
      const key = `${stage}\n${reason}`;
      const fresh = count - (this.#counted.get(key) ?? 0);
      // Frames that an operator holds count as filtered until it lets them go.
      if (fresh <= 0) continue;
      this.#counted.set(key, count);
      this.#wait({ stage, reason, count: fresh });
    }
  }

  /** In one entry for each reason: drops that leave no gap, as those of a right eye alone, wait to the end. */
  #wait(fresh: Drop): void {
    const at = this.#waiting.findIndex(
      ({ stage, reason }) => stage === fresh.stage && reason === fresh.reason,
    );
    const before = this.#waiting[at];
    if (before) this.#waiting[at] = { ...before, count: before.count + fresh.count };
    else this.#waiting.push(fresh);
  }

  #take(most: number): Drop[] {
    const taken: Drop[] = [];
    let left = most;
    while (left > 0) {
      const first = this.#waiting[0];
      if (!first) break;
      const count = Math.min(first.count, left);
      taken.push({ ...first, count });
      left -= count;
      if (count === first.count) this.#waiting.shift();
      else this.#waiting[0] = { ...first, count: first.count - count };
    }
    return taken;
  }
}
