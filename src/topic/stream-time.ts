import { latestTime } from '../core/frame.ts';

const nanosecondsPerMs = 1e6;
/** A publisher may send faster than real time (a video file), so steps of this size are accepted. */
const largestStep = 10_000_000_000n;
/** A stream that begins later, in the year 2116 if it counts from 1970, begins at 0 here. */
const latestStart = 2n ** 62n;

/**
 * Presentation times that never go back, whatever the publisher does. Its own steps are kept. Where
 * its times fall (it has restarted) or leap further ahead than the time that has passed explains,
 * the time that has passed here is the step.
 */
export class StreamTime {
  #theirs: bigint | undefined;
  #ours = 0n;
  #receivedMs = 0;

  /** `pts` in nanoseconds; `receivedMs` by a monotonic clock. */
  next(pts: bigint, receivedMs: number): bigint {
    const passed = BigInt(
      Math.max(0, Math.round((receivedMs - this.#receivedMs) * nanosecondsPerMs)),
    );
    const step = pts - (this.#theirs ?? pts);
    if (this.#theirs === undefined) this.#ours = pts < latestStart ? pts : 0n;
    else this.#ours += step < 0n || step > passed + largestStep ? passed : step;
    if (this.#ours > latestTime) this.#ours = latestTime;
    this.#theirs = pts;
    this.#receivedMs = receivedMs;
    return this.#ours;
  }
}
