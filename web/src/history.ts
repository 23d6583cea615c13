/** What the page saw within one second. */
export interface Second {
  /** Frames that were shown. */
  readonly fps: number;
  /** Age of the oldest of them when it was shown, milliseconds; nothing without frames. */
  readonly ageMs: number | undefined;
}

/** Frames and their age, second by second, of the last minutes. */
export class History {
  readonly seconds: Second[] = [];
  readonly #length: number;
  #frames = 0;
  #ageMs: number | undefined;

  /** @param length seconds that are kept */
  constructor(length = 120) {
    this.#length = length;
  }

  add(ageMs: number): void {
    this.#frames++;
    this.#ageMs = Math.max(ageMs, this.#ageMs ?? 0);
  }

  /** Ends a second. */
  tick(): void {
    this.seconds.push({ fps: this.#frames, ageMs: this.#ageMs });
    if (this.seconds.length > this.#length) this.seconds.shift();
    this.#frames = 0;
    this.#ageMs = undefined;
  }

  reset(): void {
    this.seconds.length = 0;
    this.#frames = 0;
    this.#ageMs = undefined;
  }
}

/** Where a line is drawn: from the left edge to the right, 0 at the bottom. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  /** Values from the left edge to the right one; the newest is at the right. */
  readonly slots: number;
}

/**
 * An SVG path through the values, with gaps where there is none. The top is the largest value, or 1.
 */
export function linePath(values: readonly (number | undefined)[], plot: Plot): string {
  const most = Math.max(1, ...values.filter((value) => value !== undefined));
  const first = plot.slots - values.length;
  let open = false;
  return values
    .map((value, i) => {
      const to = open ? 'L' : 'M';
      open = value !== undefined;
      if (value === undefined) return '';
      const x = ((first + i) / Math.max(1, plot.slots - 1)) * plot.width;
      // Half a line's width from the edges, or the line would be cut.
      const y = 1 + (1 - value / most) * (plot.height - 2);
      return `${to}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
