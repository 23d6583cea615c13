/** Something that was captured at a time. */
export interface Timed<Item> {
  readonly item: Item;
  /** Nanoseconds; rises on each side. */
  readonly time: bigint;
}

export type Side = 'left' | 'right';
export const sides = ['left', 'right'] as const;

/** What came of a frame that one side gave. */
export interface Paired<Item> {
  readonly pairs: readonly (readonly [left: Item, right: Item])[];
  /** Frames that have found no partner, and will not. */
  readonly alone: number;
}

/**
 * Pairs the frames of two sides by their times. A frame waits for its partner until the other side is
 * past it, or as many newer ones wait as there is room for; of two partners it gets the nearer one, as far as
 * both are there.
 */
export class Pairing<Item> {
  readonly #maxSkew: bigint;
  readonly #room: number;
  readonly #waiting: Record<Side, Timed<Item>[]> = { left: [], right: [] };

  /**
   * @param maxSkew most nanoseconds between the frames of a pair
   * @param room frames of a side that may wait for a partner
   */
  constructor(maxSkew: bigint, room: number) {
    this.#maxSkew = maxSkew;
    this.#room = room;
  }

  /** Frames of a side that wait. */
  waiting(side: Side): number {
    return this.#waiting[side].length;
  }

  add(side: Side, frame: Timed<Item>): Paired<Item> {
    const own = this.#waiting[side];
    let alone = 0;
    const last = own.at(-1);
    // A side whose clock went back begins anew: what waits there is of another time.
    if (last && frame.time < last.time) alone += own.splice(0).length;
    own.push(frame);
    const { pairs, passed } = this.#match();
    alone += passed;
    while (own.length > this.#room) {
      own.shift();
      alone++;
    }
    return { pairs, alone };
  }

  /** Gives up what waits; returns how many frames that were. */
  clear(): number {
    return sides.reduce((sum, side) => sum + this.#waiting[side].splice(0).length, 0);
  }

  #match(): { readonly pairs: (readonly [Item, Item])[]; readonly passed: number } {
    const { left, right } = this.#waiting;
    const pairs: (readonly [Item, Item])[] = [];
    let passed = 0;
    for (;;) {
      const [a, b] = [left[0], right[0]];
      if (!a || !b) return { pairs, passed };
      const [earlier, later] = a.time <= b.time ? [left, b] : [right, a];
      const skew = later.time - (earlier[0] as Timed<Item>).time;
      const next = earlier[1];
      const nearer = next !== undefined && distance(next.time, later.time) < skew;
      if (skew > this.#maxSkew || nearer) {
        earlier.shift();
        passed++;
        continue;
      }
      left.shift();
      right.shift();
      pairs.push([a.item, b.item]);
    }
  }
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}
