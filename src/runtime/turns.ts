/** One of those that share workers, such as the model's operator of one camera. */
export interface Turn {
  /**
   * Takes a worker for the next frame, unless `most` are taken or others have waited longer. If it gives
   * false, `wake` is called when it is this one's turn.
   */
  take(most: number): boolean;
  /** Gives the worker back. */
  done(): void;
  /** Waits no longer. */
  leave(): void;
}

interface Member {
  wake(): void;
  /** It is being woken: nobody waits before it. */
  first: boolean;
}

/**
 * Workers that several queues share, in turn: whoever has had a worker waits behind all others that have a
 * frame. A frame stays in its queue, where a newer one can take its place, until a worker is free for it.
 */
export class Turns {
  readonly #waiting: Member[] = [];
  #taken = 0;

  /** @param wake called when it may `take`, or has nothing left to take */
  join(wake: () => void): Turn {
    const member: Member = { wake, first: false };
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
      this.#taken++;
      return true;
    }
    if (this.#waiting.includes(member)) return false;
    if (first) this.#waiting.unshift(member);
    else this.#waiting.push(member);
    return false;
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
