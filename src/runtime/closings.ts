/** Cleanups of what was opened; each runs once, in reverse order. */
export class Closings {
  #cleanups: (() => void | Promise<void>)[] = [];
  #over = false;

  /** Adds a cleanup. It runs at once if the others have run: what was opened too late is closed. */
  add(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup);
    if (this.#over) void this.run();
  }

  /** Runs and awaits every cleanup, even if others fail; returns their errors. */
  async run(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (let cleanup = this.#cleanups.pop(); cleanup; cleanup = this.#cleanups.pop()) {
      try {
        await cleanup();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#over = true;
    return errors;
  }
}
