import type { Clock } from '../../core/clock.ts';

export interface WatchdogOptions {
  readonly clock: Clock;
  /** How long to wait, milliseconds. */
  patienceMs(): number;
  /** Since when something has been awaited, `clock.now()`; undefined if nothing is. */
  waitingSince(): number | undefined;
  onStall(): void;
}

/** Extra time for data that has arrived but was not read yet, milliseconds. */
const graceMs = 100;

/** Detects that something awaited does not arrive, with a single timer. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #cancel: (() => void) | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Something is awaited from now on. */
  watch() {
    if (!this.#cancel) this.#lookIn(this.#options.patienceMs(), false);
  }

  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookIn(ms: number, suspected: boolean) {
    this.#cancel = this.#options.clock.after(ms, () => this.#look(suspected));
  }

  #look(suspected: boolean) {
    this.#cancel = undefined;
    const { clock, patienceMs, waitingSince, onStall } = this.#options;
    const since = waitingSince();
    if (since === undefined) return;
    const left = patienceMs() - (clock.now() - since);
    if (left > 0) return this.#lookIn(left, false);
    // This process may have been too busy to read what has come: look again after a turn.
    if (!suspected) return this.#lookIn(graceMs, true);
    onStall();
  }
}
