import type { Clock } from './clock.ts';

/** Between two messages, milliseconds. */
const everyMs = 5000;

/** Messages that may come with every frame: the first at once, then one in 5 s, with the number between. */
export class LimitedMessages {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #say: (message: string) => void;
  #last: number | undefined;
  #hidden = 0;

  constructor(clock: Pick<Clock, 'now'>, say: (message: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  report(message: string): void {
    const now = this.#clock.now();
    if (this.#last !== undefined && now - this.#last < everyMs) {
      this.#hidden++;
      return;
    }
    const more = this.#hidden > 0 ? ` (and ${this.#hidden} more since the last such message)` : '';
    this.#last = now;
    this.#hidden = 0;
    this.#say(`${message}${more}`);
  }
}
