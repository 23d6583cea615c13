/**
 * Back-pressure from every full `block` queue to the source. A source waits for the gate before
 * it asks for the next frame; that is the whole protocol.
 */
export class Gate {
  /** Called whenever the gate opens after it was held. */
  onOpen: (() => void) | undefined;
  #holders = new Set<string>();
  #waiting: (() => void)[] = [];

  get open(): boolean {
    return this.#holders.size === 0;
  }

  /** Names of what holds the gate now, for diagnosis. */
  get holders(): readonly string[] {
    return [...this.#holders];
  }

  hold(holder: string): void {
    this.#holders.add(holder);
  }

  release(holder: string): void {
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return;
    this.onOpen?.();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Resolves when the gate is open, or when `signal` aborts. */
  opened(signal?: AbortSignal): Promise<void> {
    if (this.open || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = () => {
        signal?.removeEventListener('abort', resume);
        resolve();
      };
      this.#waiting.push(resume);
      signal?.addEventListener('abort', resume);
    });
  }
}
