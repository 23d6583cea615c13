/** More than anybody loses on the way: a day at 60 fps and more. */
const longestGap = 10_000_000;

/**
 * Sequence numbers that rise whatever the publisher does. Where its own fall, it has restarted. A
 * leap that no loss explains is not counted as lost: those frames never existed.
 */
export class Numbering {
  #theirs: number | undefined;
  #ours = -1;

  /** `skipped`: messages since the last frame that were counted already. */
  next(theirs: number, skipped = 0): { seq: number; lost: number } {
    const step = this.#theirs === undefined ? 1 : theirs - this.#theirs;
    this.#theirs = theirs;
    const gap = step <= longestGap ? step - 1 : 0;
    const lost = Math.max(0, gap - skipped);
    this.#ours += lost + skipped + 1;
    return { seq: this.#ours, lost };
  }
}
