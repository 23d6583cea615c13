import type { Clock } from '../core/clock.ts';

export interface EndWatchParts {
  readonly clock: Clock;
  /** How long nothing may happen, milliseconds. */
  patienceMs(): number;
  /** Changes whenever something happens; nothing while something is known to be going on. */
  progress(): number | undefined;
  onOverdue(): void;
}

/**
 * Notices operators that do not complete although their input has: nothing happens any more, and
 * nothing is known to be going on.
 */
export class EndWatch {
  readonly #parts: EndWatchParts;
  #cancel: () => void;
  #progress: number | undefined;

  constructor(parts: EndWatchParts) {
    this.#parts = parts;
    this.#progress = parts.progress();
    this.#cancel = this.#look();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): () => void {
    const { clock, patienceMs, progress, onOverdue } = this.#parts;
    return clock.after(patienceMs(), () => {
      const now = progress();
      if (now !== undefined && now === this.#progress) {
        onOverdue();
        return;
      }
      this.#progress = now;
      this.#cancel = this.#look();
    });
  }
}
