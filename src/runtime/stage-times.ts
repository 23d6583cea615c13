/** Told when a stage begins to use the thread that all share, and when it has ended. */
export interface StageListener {
  enter(stage: string): void;
  leave(): void;
}

/**
 * Time that stages take of the thread they share. A stage that hands a frame on is not charged for
 * what those after it do with it.
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
