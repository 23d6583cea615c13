import type { ComponentContext } from '../core/component-context.ts';
import { CorruptMessage } from '../topic/header-check.ts';

/** Counts messages that cannot be read. Only the 1st, 10th, 100th … is reported, or a peer could fill the log. */
export class CorruptMessages {
  readonly #context: ComponentContext;
  count = 0;
  /** Since it was last taken. */
  #skipped = 0;

  constructor(context: ComponentContext) {
    this.#context = context;
  }

  /** @throws what is not a CorruptMessage */
  add(error: unknown): void {
    if (!(error instanceof CorruptMessage)) throw error;
    this.count++;
    this.#skipped++;
    this.#context.dropped(1, 'corrupt message');
    if (!/^10*$/.test(String(this.count))) return;
    const soFar = this.count === 1 ? '' : ` (corrupt messages so far: ${this.count})`;
    this.#context.log.warn(`${error.message}${soFar}`);
  }

  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}
