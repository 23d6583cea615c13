/** Places in the memory: monotonic nanoseconds, 0 while nothing is waited for; milliseconds. */
const longs = { dueAt: 0, limit: 1 } as const;

/**
 * Until when an inference thread waits for its engine with calls that block. The thread says so, in memory that
 * it shares with the main thread, which ends the engine when it is overdue.
 */
export class Deadline {
  readonly memory: SharedArrayBuffer;
  readonly #longs: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#longs = new BigInt64Array(memory);
  }

  /** In the thread: the engine has this long from now. */
  begin(ms: number): void {
    const due = process.hrtime.bigint() + BigInt(Math.round(ms * 1e6));
    Atomics.store(this.#longs, longs.limit, BigInt(Math.round(ms)));
    Atomics.store(this.#longs, longs.dueAt, due);
  }

  /** In the thread: the engine has answered. */
  end(): void {
    Atomics.store(this.#longs, longs.dueAt, 0n);
  }

  /** In the main thread. */
  get isOver(): boolean {
    const due = Atomics.load(this.#longs, longs.dueAt);
    return due !== 0n && process.hrtime.bigint() > due;
  }

  /** How long the engine had. */
  get limitMs(): number {
    return Number(Atomics.load(this.#longs, longs.limit));
  }
}
