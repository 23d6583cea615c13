import { sleep } from '../../core/clock.ts';
import type { ComponentContext } from '../../core/component-context.ts';
import { SinkLost } from '../../core/sink-lost.ts';
import type { OutputCrashed } from './output-process.ts';

/** Crashes in a row, of processes that did not put out `healthyFrames` in between. */
const limit = 5;
const healthyFrames = 10;
/** Pause before the second restart in a row, milliseconds; it doubles with each crash. */
const firstPauseMs = 100;

/** Decides how often and how soon a crashed output process is replaced. */
export class CrashBudget {
  readonly #context: ComponentContext;
  /** What is restarted, for messages: `the encoder process`. */
  readonly #what: string;
  #inRow = 0;
  #frames = 0;

  constructor(context: ComponentContext, what: string) {
    this.#context = context;
    this.#what = what;
  }

  /** A frame has been put out. */
  delivered(): void {
    if (++this.#frames >= healthyFrames) this.#inRow = 0;
  }

  /**
   * Counts a crash and resolves when it is time for a new process.
   *
   * @throws SinkLost if there were too many in a row, or the run stops
   */
  async restart(error: OutputCrashed): Promise<void> {
    const { clock, signal, log, restarted } = this.#context;
    const inRow = this.#inRow++;
    this.#frames = 0;
    if (inRow >= limit || signal.aborted) {
      throw new SinkLost(`${error.message}; given up after ${inRow} restarts in a row`, {
        cause: error,
      });
    }
    restarted(error.message);
    log.warn(`${this.#what} was restarted: ${error.message}`);
    if (inRow > 0) await sleep(clock, firstPauseMs * 2 ** (inRow - 1), signal);
    if (signal.aborted) throw new SinkLost(error.message, { cause: error });
  }
}
