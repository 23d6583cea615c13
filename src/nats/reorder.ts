import type { Clock } from '../core/clock.ts';

/** Something that has a place in a series. */
export interface Numbered {
  /** What it belongs to: each has a series of its own. */
  readonly series: string;
  /** A publisher that restarts counts anew. */
  readonly run: string;
  readonly seq: number;
  /** Numbers before it that its publisher never sent. */
  readonly dropped: number;
}

export interface ReorderParts<T> {
  readonly clock: Clock;
  /** How long one waits for those before it, milliseconds. */
  readonly deadlineMs: number;
  /** Of one series; beyond it the earliest goes on, whatever is missing. */
  readonly limit: number;
  /** In order. */
  readonly release: (item: T) => void;
  /** Came after one that follows it had gone on, or came twice. */
  readonly late: (item: T) => void;
}

interface Series<T> {
  run: string;
  /** Runs that ended before this one. */
  past: readonly string[];
  /** Undefined until the first has gone on. */
  next: number | undefined;
  /** By rising number. */
  held: { readonly item: T; readonly dueMs: number }[];
  cancel: () => void;
}

const pastRuns = 8;

/** Puts what arrives out of order into the order of its numbers; waits for a gap until the deadline. */
export class Reorder<T extends Numbered> {
  readonly #parts: ReorderParts<T>;
  readonly #series = new Map<string, Series<T>>();

  constructor(parts: ReorderParts<T>) {
    this.#parts = parts;
  }

  /** Items that wait. */
  get waiting(): number {
    return [...this.#series.values()].reduce((sum, { held }) => sum + held.length, 0);
  }

  add(item: T): void {
    const series = this.#of(item);
    if (series.past.includes(item.run)) {
      this.#parts.late(item);
      return;
    }
    const { held } = series;
    const at = held.findIndex((other) => other.item.seq >= item.seq);
    const passed = series.next !== undefined && item.seq < series.next;
    if (passed || held[at]?.item.seq === item.seq) {
      this.#parts.late(item);
      return;
    }
    const dueMs = this.#parts.clock.now() + this.#parts.deadlineMs;
    held.splice(at < 0 ? held.length : at, 0, { item, dueMs });
    if (held.length > this.#parts.limit) this.#shift(series);
    this.#settle(series);
  }

  /** Lets everything go on. */
  flush(): void {
    for (const series of this.#series.values()) this.#empty(series);
  }

  /** Ends all waiting; what is held is forgotten. */
  close(): void {
    for (const series of this.#series.values()) series.cancel();
    this.#series.clear();
  }

  #of({ series: name, run }: T): Series<T> {
    const known = this.#series.get(name);
    if (known && (known.run === run || known.past.includes(run))) return known;
    if (known) this.#empty(known);
    const past = known ? [...known.past, known.run].slice(-pastRuns) : [];
    const fresh: Series<T> = { run, past, next: undefined, held: [], cancel: () => {} };
    this.#series.set(name, fresh);
    return fresh;
  }

  #empty(series: Series<T>): void {
    series.cancel();
    while (series.held.length > 0) this.#shift(series);
  }

  #shift(series: Series<T>): void {
    const first = series.held.shift();
    if (!first) return;
    series.next = first.item.seq + 1;
    this.#parts.release(first.item);
  }

  #settle(series: Series<T>): void {
    series.cancel();
    const now = this.#parts.clock.now();
    const { held } = series;
    const due = held.findLastIndex(({ dueMs }) => dueMs <= now);
    for (let i = 0; i <= due; i++) this.#shift(series);
    while (held[0] && follows(held[0].item, series.next)) this.#shift(series);
    if (held.length === 0) return;
    const first = Math.min(...held.map(({ dueMs }) => dueMs));
    series.cancel = this.#parts.clock.after(Math.max(0, first - now), () => this.#settle(series));
  }
}

/** Whether nothing is missing before it. */
function follows({ seq, dropped }: Numbered, next: number | undefined): boolean {
  return seq - dropped <= (next ?? 0);
}
