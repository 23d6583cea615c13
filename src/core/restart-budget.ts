import { z } from 'zod';
import { duration, positiveDuration } from './units.ts';

/** `restart:` of every source that runs in a capture process. */
export const restartSchema = z
  .strictObject({
    limit: z
      .int()
      .min(0)
      .max(1_000_000)
      .optional()
      .describe(
        'restarts in a row before the source fails, 0 for none; default: 5, for a live source that has given frames no limit',
      ),
    'give-up-after': positiveDuration()
      .optional()
      .describe('fail when no frame has arrived for this long; default: never'),
    'stalled-after': positiveDuration()
      .prefault('5s')
      .describe('restart when a requested frame does not arrive within this time'),
    'first-frame-within': positiveDuration()
      .prefault('10s')
      .describe('longest wait for the first frame after a start'),
    'healthy-after': duration()
      .prefault('30s')
      .describe('reset the restart count after frames have arrived for this long'),
    'max-delay': duration()
      .prefault('5s')
      .describe(
        'longest pause before a restart; pauses start at 100ms and double, each shortened by a random 0 to 20 %',
      ),
  })
  .prefault({})
  .describe('what happens when the source crashes, fails, stalls or is disconnected');

/** `wait-for-source:` of every live source. */
export const waitForSource = z
  .boolean()
  .default(false)
  .describe('keep trying at the start too, instead of failing when the source is not there yet');

export type RestartOptions = z.output<typeof restartSchema>;

/** Part of a pause that is random, so that cameras behind one switch do not return all at once. */
const jitter = 0.2;

/** Decides how often and how soon a source is restarted. */
export class RestartBudget {
  readonly #options: RestartOptions;
  readonly #random: () => number;
  #inRow = 0;

  /** @param random uniform in [0, 1) */
  constructor(options: RestartOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** Restarts in a row so far. */
  get inRow(): number {
    return this.#inRow;
  }

  /**
   * The pause before the next restart.
   *
   * @param flowedMs for how long frames came since the last restart, milliseconds; 0 if none came
   * @param silentMs time since the last frame, or since the start, milliseconds
   * @param defaultLimit restarts in a row where the options do not say
   * @returns milliseconds, 0 for the first restart; undefined if the budget is spent
   */
  next(flowedMs: number, silentMs: number, defaultLimit: number): number | undefined {
    const { limit = defaultLimit, 'give-up-after': patience = Infinity } = this.#options;
    if (flowedMs > 0 && flowedMs >= this.#options['healthy-after']) this.#inRow = 0;
    if (this.#inRow >= limit || silentMs >= patience) return undefined;
    const longest = Math.min(this.#options['max-delay'], 50 * 2 ** this.#inRow);
    const pause = this.#inRow === 0 ? 0 : longest * (1 - jitter * this.#random());
    this.#inRow++;
    return Math.min(pause, patience - silentMs);
  }
}
