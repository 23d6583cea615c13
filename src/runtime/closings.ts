/** What was opened, to be closed once, in reverse order. */
export class Closings {
  #cleanups: (() => void | Promise<void>)[] = [];
  #over = false;

  /** What is opened after the closings have run (its opening was not awaited) is closed at once. */
  add(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup);
    if (this.#over) void this.run();
  }

  /** Runs and awaits every closing, whatever the others do; gives the errors. */
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
