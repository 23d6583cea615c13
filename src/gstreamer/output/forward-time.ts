/** Frames that changed places differ by less than this, nanoseconds; more means that times began again. */
const mostReordered = 1_000_000_000n;

/**
 * Times of pictures from the beginning of an output, which never go back: muxers and displays do not
 * accept that. Operators may change the order of frames, whose places are then lost, and a source's
 * times may begin again, which continues by the last step.
 */
export class ForwardTime {
  #base: bigint | undefined;
  #newest = 0n;
  #step = 0n;

  /**
   * @param pts of a frame, nanoseconds
   * @returns nanoseconds since the first frame
   */
  next(pts: bigint): bigint {
    this.#base ??= pts;
    let time = pts - this.#base;
    if (this.#newest - time > mostReordered) {
      time = this.#newest + this.#step;
      this.#base = pts - time;
    }
    if (time > this.#newest) {
      this.#step = time - this.#newest;
      this.#newest = time;
    }
    return this.#newest;
  }
}
