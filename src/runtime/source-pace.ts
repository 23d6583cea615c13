import type { Clock } from '../core/clock.ts';
import type { Gate } from '../core/gate.ts';

/** The usual time between two frames follows a change within about this many of them. */
const memory = 16;

/**
 * How often a source gives a frame, and for how long it has given none. Time during which the gate was
 * held does not count: nobody asked for a frame.
 */
export class SourcePace {
  readonly #clock: Clock;
  /** When the last frame came, or the gate was opened after it. */
  #since: number;
  #usualMs = 0;
  #frames = 0;

  constructor(clock: Clock, gate: Gate) {
    this.#clock = clock;
    this.#since = clock.now();
    gate.onOpen = () => {
      this.#since = clock.now();
    };
  }

  /** The source has given a frame. */
  emitted(): void {
    const now = this.#clock.now();
    const interval = now - this.#since;
    this.#since = now;
    // The first one also took the time to open.
    if (this.#frames++ > 0)
      this.#usualMs += (interval - this.#usualMs) / Math.min(memory, this.#frames - 1);
  }

  /** Time without a frame, milliseconds. */
  quietMs(now: number): number {
    return now - this.#since;
  }

  /** Usual time between two frames, milliseconds; 0 before there were two. */
  get usualMs(): number {
    return this.#usualMs;
  }
}
