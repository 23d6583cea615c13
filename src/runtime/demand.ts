import type { Frame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';

/** `source waits for a subscriber` */
const holder = 'a subscriber';

interface Audience {
  /** No frame will be delivered any more. */
  readonly over: boolean;
  readonly wanted: boolean;
}

/** Holds the gate while nobody wants frames: no sink, and nobody who waits for the next one. */
export class Demand {
  readonly #gate: Gate;
  readonly #audiences: () => readonly Audience[];
  readonly #waiting = new Set<(frame: Frame | undefined) => void>();
  #over = false;

  constructor(gate: Gate, audiences: () => readonly Audience[]) {
    this.#gate = gate;
    this.#audiences = audiences;
  }

  /** To be called when an audience has changed. */
  heed(): void {
    const left = this.#audiences().filter(({ over }) => !over);
    const idle = left.length > 0 && left.every(({ wanted }) => !wanted) && this.#waiting.size === 0;
    if (idle) this.#gate.hold(holder);
    else this.#gate.release(holder);
  }

  /** The next frame, which is wanted from now on; `undefined` if `signal` aborts or the run ends. */
  next(signal: AbortSignal): Promise<Frame | undefined> {
    if (signal.aborted || this.#over) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const done = (frame: Frame | undefined) => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', onAbort);
        this.heed();
        resolve(frame);
      };
      const onAbort = () => done(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(done);
      this.heed();
    });
  }

  /** A frame has come. */
  give(frame: Frame): void {
    for (const done of [...this.#waiting]) done(frame);
  }

  /** No more frames will come. */
  end(): void {
    this.#over = true;
    for (const done of [...this.#waiting]) done(undefined);
  }
}
