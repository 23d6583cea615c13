import { z } from 'zod';
import { duration } from '../../core/units.ts';

/** `restart:` of every source that runs in a capture host. */
export const restartSchema = z
  .strictObject({
    limit: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(5)
      .describe('restarts in a row before the source fails; 0 for none'),
    'stalled-after': duration()
      .prefault('5s')
      .describe('restart when a frame was asked for and none came for this long'),
    'first-frame-within': duration()
      .prefault('10s')
      .describe('fail when the source has not given its first frame after this long'),
    'healthy-after': duration()
      .prefault('30s')
      .describe('after this long without trouble the restarts are counted from 0 again'),
    'max-delay': duration()
      .prefault('5s')
      .describe('longest pause before a restart; the pauses double from 100ms on'),
  })
  .prefault({})
  .describe('what happens when the capture process crashes, fails or stalls');

export type RestartOptions = z.output<typeof restartSchema>;

/** Decides how often and how soon a crashed source is started again. */
export class RestartBudget {
  readonly #options: RestartOptions;
  #inRow = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(options: RestartOptions) {
    this.#options = options;
  }

  /** Restarts in a row so far. */
  get inRow(): number {
    return this.#inRow;
  }

  /** Milliseconds to wait before the next restart (0 for the first), or undefined if spent. */
  next(nowMs: number): number | undefined {
    if (nowMs - this.#lastAt >= this.#options['healthy-after']) this.#inRow = 0;
    if (this.#inRow >= this.#options.limit) return undefined;
    const delay =
      this.#inRow === 0 ? 0 : Math.min(this.#options['max-delay'], 50 * 2 ** this.#inRow);
    this.#inRow++;
    this.#lastAt = nowMs + delay;
    return delay;
  }
}
