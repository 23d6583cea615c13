/** One of those that share workers, such as the model's operator of one camera. */
export interface Turn {
  /**
   * Takes a place in a call of a worker for the next frame, unless `most` calls are in progress or others are
   * next; gives what to call when the frame is done. If it gives nothing, `wake` is called when it is this
   * one's turn.
   */
  take(most: number): (() => void) | undefined;
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

/** Frames that a worker takes together. */
interface Call {
  frames: number;
}

/**
 * Workers that several queues share, round robin: of those that have a frame, the one whose last turn is
 * the longest ago is next, however often the others have frames. A frame stays in its queue, where a newer
 * one can take its place, until a worker is free for it.
 *
 * A worker may take several frames in one call. A call waits for nobody: it has the frames that are there
 * when a worker is free, up to `together`.
 */
export class Turns {
  readonly #together: number;
  /** The next one first. */
  readonly #waiting: Member[] = [];
  #calls = 0;
  #turns = 0;
  /** The call that has begun last, while it has room and its worker has not yet got it. */
  #open: Call | undefined;

  /** @param together frames that a worker takes in one call */
  constructor(together = 1) {
    this.#together = together;
  }

  /** @param wake called when it may `take`, or has nothing left to take */
  join(wake: () => void): Turn {
    const member: Member = { wake, last: 0, first: false };
    return {
      take: (most) => this.#take(member, most),
      leave: () => {
        const at = this.#waiting.indexOf(member);
        if (at >= 0) this.#waiting.splice(at, 1);
      },
    };
  }

  #take(member: Member, most: number): (() => void) | undefined {
    const { first } = member;
    const room = this.#open !== undefined || this.#calls < most;
    if (room && (first || this.#waiting.length === 0)) {
      member.first = false;
      member.last = ++this.#turns;
      return this.#enter();
    }
    if (this.#waiting.includes(member)) return undefined;
    if (first) this.#waiting.unshift(member);
    else this.#line(member);
    return undefined;
  }

  #enter(): () => void {
    const call = this.#open ?? this.#begin();
    call.frames++;
    if (call.frames === this.#together) this.#depart(call);
    return () => {
      if (--call.frames > 0) return;
      this.#depart(call);
      this.#calls--;
      this.#give();
    };
  }

  #begin(): Call {
    const call = { frames: 0 };
    this.#calls++;
    this.#open = call;
    // All that is ready now has come by then.
    if (this.#together > 1) setImmediate(() => this.#depart(call));
    return call;
  }

  #depart(call: Call): void {
    if (this.#open === call) this.#open = undefined;
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
