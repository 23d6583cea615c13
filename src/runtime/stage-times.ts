/** Notified when a stage begins and ends to use the main thread. */
export interface StageListener {
  enter(stage: string): void;
  leave(): void;
}

/**
 * Time that stages spend on the main thread. A stage that passes a frame on is not charged for the
 * stages after it.
 */
export class StageTimes implements StageListener {
  readonly #now: () => number;
  readonly #ms = new Map<string, number>();
  readonly #inside: string[] = [];
  #since = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  enter(stage: string): void {
    this.#charge();
    this.#inside.push(stage);
  }

  leave(): void {
    this.#charge();
    this.#inside.pop();
  }

  /** Milliseconds by stage, since the start. */
  read(): ReadonlyMap<string, number> {
    return new Map(this.#ms);
  }

  #charge(): void {
    const now = this.#now();
    const stage = this.#inside.at(-1);
    if (stage !== undefined) this.#ms.set(stage, (this.#ms.get(stage) ?? 0) + now - this.#since);
    this.#since = now;
  }
}
