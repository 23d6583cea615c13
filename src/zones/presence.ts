export interface PresenceOptions {
  /** How long a change must last before it counts, milliseconds. */
  readonly enterAfter: number;
  readonly leaveAfter: number;
}

export type PresenceEvent = 'enter' | 'leave';

/** Whether something is inside: a change counts when it has lasted. */
export class Presence {
  #inside = false;
  #since: bigint | undefined;
  #changing: bigint | undefined;

  get inside(): boolean {
    return this.#inside;
  }

  /** Capture time of the frame from which it has been so; undefined before the first reading. */
  get since(): bigint | undefined {
    return this.#since;
  }

  /**
   * @param seen whether something is inside in this frame; undefined: not known, which lets no change count
   * @param pts of the frame, nanoseconds; never decreases
   * @param capturedAt of the frame, nanoseconds
   */
  update(
    seen: boolean | undefined,
    pts: bigint,
    capturedAt: bigint,
    { enterAfter, leaveAfter }: PresenceOptions,
  ): PresenceEvent | undefined {
    if (seen !== undefined) this.#since ??= capturedAt;
    if (seen === undefined || seen === this.#inside) {
      this.#changing = undefined;
      return undefined;
    }
    this.#changing ??= pts;
    const lasted = Number(pts - this.#changing) / 1e6;
    if (lasted < (seen ? enterAfter : leaveAfter)) return undefined;
    this.#inside = seen;
    this.#since = capturedAt;
    this.#changing = undefined;
    return seen ? 'enter' : 'leave';
  }
}
