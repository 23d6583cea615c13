/** Frames over which the rate is taken. */
const counted = 30;

/** Frames per second that the page has shown. */
export class Rate {
  #times: number[] = [];
  #seq = -1;

  add(seq: number): void {
    if (seq < this.#seq) this.reset();
    this.#seq = seq;
    this.#times = [...this.#times, performance.now()].slice(-counted);
  }

  reset(): void {
    this.#times = [];
    this.#seq = -1;
  }

  get fps(): number | undefined {
    const span = (this.#times.at(-1) ?? 0) - (this.#times[0] ?? 0);
    return span > 0 ? ((this.#times.length - 1) * 1000) / span : undefined;
  }
}
