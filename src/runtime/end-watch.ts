import type { Clock } from '../core/clock.ts';

export interface EndWatchParts {
  readonly clock: Clock;
  /** How long there may be no progress, milliseconds. */
  patienceMs(): number;
  /** A number that changes with every frame; `undefined` while frames are known to be in flight. */
  progress(): number | undefined;
  onOverdue(): void;
}

/**
 * Notices operators that do not complete although their input has: there is no progress, and no frame
 * is known to be in flight.
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
