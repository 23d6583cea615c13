/** One of those that share workers, such as the model's operator of one camera. */
export interface Turn {
  /**
   * Takes a worker for the next frame, unless `most` are taken or others are next. If it gives false, `wake`
   * is called when it is this one's turn.
   */
  take(most: number): boolean;
  /** Gives the worker back. */
  done(): void;
  /** Waits no longer. */
  leave(): void;
}

interface Member {
  wake(): void;
  /** When it had its last turn, counted in turns; 0 if it has had none. */
  last: number;
  /** It is being woken: nobody waits before it. */
  first: boolean;
}

/**
 * Workers that several queues share, round robin: of those that have a frame, the one whose last turn is
 * the longest ago is next, however often the others have frames. A frame stays in its queue, where a newer
 * one can take its place, until a worker is free for it.
 */
export class Turns {
  /** The next one first. */
  readonly #waiting: Member[] = [];
  #taken = 0;
  #turns = 0;

  /** @param wake called when it may `take`, or has nothing left to take */
  join(wake: () => void): Turn {
    const member: Member = { wake, last: 0, first: false };
    return {
      take: (most) => this.#take(member, most),
      done: () => {
        this.#taken--;
        this.#give();
      },
      leave: () => {
        const at = this.#waiting.indexOf(member);
        if (at >= 0) this.#waiting.splice(at, 1);
      },
    };
  }

  #take(member: Member, most: number): boolean {
    const { first } = member;
    if (this.#taken < most && (first || this.#waiting.length === 0)) {
      member.first = false;
      member.last = ++this.#turns;
      this.#taken++;
      return true;
    }
    if (this.#waiting.includes(member)) return false;
    if (first) this.#waiting.unshift(member);
    else this.#line(member);
    return false;
  }

  #line(member: Member): void {
    const before = this.#waiting.findIndex(({ last }) => last > member.last);
    this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, member);
  }

  #give(): void {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next) return;
      next.first = true;
      next.wake();
      next.first = false;
      // It may take no further one: the others wait behind it.
      if (this.#waiting[0] === next) return;
    }
  }
}
