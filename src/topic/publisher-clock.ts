/** Clocks that differ by less are taken as equal: the delay of a network is of this order. */
const tolerance = 100_000_000n;
/** How long the least difference is remembered: clocks drift, and are set. */
const windowMs = 5000;

/**
 * Times of a publisher by the clock of this machine. The clocks of two machines differ, by years if
 * one has no battery, and a message shows only the sum of that difference and its delay on the way.
 * So the least sum of the last seconds is taken as the difference, unless it is so small that it
 * may be a delay. Ages then count from the fastest message.
 */
export class PublisherClock {
  #since = 0;
  /** When the newest message was sent, by the publisher's clock. */
  #sentAt: bigint | undefined;
  #least: bigint | undefined;
  #before: bigint | undefined;

  /** What is added to the publisher's times, nanoseconds; 0 while the clocks agree. */
  offset = 0n;

  /**
   * When a frame was captured, by this machine's clock; never later than it was received.
   *
   * @param frame times of the publisher, nanoseconds since the epoch
   * @param receivedAt time here, nanoseconds since the epoch
   * @param nowMs time here by a monotonic clock
   */
  capturedAt(
    { capturedAt, publishedAt }: { readonly capturedAt: bigint; readonly publishedAt: bigint },
    receivedAt: bigint,
    nowMs: number,
  ): bigint {
    // A frame that was published before it was captured says nothing about when it was sent.
    const plausible = publishedAt >= capturedAt;
    const sentAt = plausible ? publishedAt : capturedAt;
    // Messages keep their order, so the publisher's clock was set back, or it is another publisher.
    if (this.#sentAt !== undefined && sentAt < this.#sentAt - tolerance) this.#forget();
    this.#sentAt = sentAt;
    this.#observe(receivedAt - sentAt, nowMs);
    const here = capturedAt + this.offset;
    if (here > receivedAt) return receivedAt;
    // One false time of a publisher must not make a time that no reader accepts.
    return here < 0n ? 0n : here;
  }

  /** What was seen of a clock says nothing once that was set. */
  #forget(): void {
    this.#least = undefined;
    this.#before = undefined;
  }

  #observe(difference: bigint, nowMs: number): void {
    if (this.#least === undefined || nowMs - this.#since >= windowMs) {
      this.#before = nowMs - this.#since < 2 * windowMs ? this.#least : undefined;
      this.#least = difference;
      this.#since = nowMs;
    }
    if (difference < this.#least) this.#least = difference;
    const least = smallest(this.#least, this.#before);
    this.offset = least > tolerance || least < -tolerance ? least : 0n;
  }
}

function smallest(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b < a ? b : a;
}
