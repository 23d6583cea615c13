import type { Freshness, RawFrame } from '../../core/capture-stream.ts';

/**
 * Which gaps in PTS are lost frames: `none` for a source that waits, `every gap` for a camera,
 * `gaps while unrequested` for a live source whose frames may come at irregular intervals (a video
 * file played in real time): frames can have been lost only while none was requested.
 */
export type Losses = 'none' | 'every gap' | 'gaps while unrequested';

export interface Placed {
  readonly seq: number;
  /** Nanoseconds, never goes back. */
  readonly pts: bigint;
  /** Monotonic nanoseconds at which the frame reached the sink, estimated. */
  readonly capturedAt: bigint;
  /** Frames lost before this one, without those that were explained. */
  readonly lost: number;
}

const fallbackInterval = 33_333_333n;
const stepsKept = 31;
/** Fewer steps than this do not determine the frame interval. */
const stepsNeeded = 5;
/** How long the smallest delay between PTS and arrival is remembered, for clocks that drift. */
const delayWindow = 5_000_000_000n;
/** PTS may run ahead of arrival by this much, for jitter and clocks that are corrected. */
const leapTolerance = 500_000_000n;

/**
 * Gives frames their identity across loops and restarts of the pipeline: `seq` rises by one per
 * frame and by one more for each frame lost, `pts` never goes back.
 */
export class Timeline {
  readonly #losses: Losses;
  #seq = -1;
  #pts = -1n;
  /** Added to the pipeline's PTS; changes when those start over. */
  #base = 0n;
  #previous: RawFrame | undefined;
  /** PTS of the newest frame that has one, since the last restart. */
  #stamped: bigint | undefined;
  #explained = 0;
  #steps: bigint[] = [];
  /** Smallest `arrival - PTS` of this window and of the one before. */
  #delay: { since: bigint; now: bigint; before: bigint | undefined } | undefined;

  constructor(losses: Losses) {
    this.#losses = losses;
  }

  get #live(): boolean {
    return this.#losses !== 'none';
  }

  /** The pipeline was restarted: its PTS start at 0, and the number of lost frames is unknown. */
  restart(): void {
    this.#previous = undefined;
    this.#stamped = undefined;
    this.#delay = undefined;
  }

  /** Frames come from another process, whose PTS go on: how late they are is to be found out anew. */
  resume(): void {
    this.#delay = undefined;
    this.#since = undefined;
  }

  /** This many frames before the next one are missing for a reason that is counted elsewhere. */
  explain(frames: number): void {
    this.#explained += frames;
  }

  /** How late a frame may be; undefined if the source waits, or nothing is known yet. */
  get freshness(): Freshness | undefined {
    const previous = this.#previous;
    if (!this.#live || !previous || previous.pts === undefined || !this.#delay) return undefined;
    return { delay: this.#smallestDelay(previous), interval: this.#interval(previous) };
  }

  /** @param since what PTS count from where that is known, monotonic nanoseconds */
  place(frame: RawFrame, since?: bigint): Placed {
    const continues = this.#continues(frame);
    const gap = continues ? this.#lost(frame, this.#previous as RawFrame) : 0;
    const lost = Math.max(0, gap - this.#explained);
    this.#explained = 0;
    if (!continues && this.#seq >= 0) this.#rebase(frame);
    // PTS that began again or leapt no longer count from there.
    if (!continues) this.#since = this.#previous ? undefined : since;
    const proposed =
      frame.pts === undefined ? this.#pts + this.#interval(frame) : frame.pts + this.#base;
    if (this.#seq < 0 && frame.pts === undefined) this.#pts = 0n;
    // The PTS that were given to frames without one may be ahead.
    else this.#pts = proposed > this.#pts ? proposed : this.#pts + 1n;
    this.#seq += 1 + gap;
    this.#lastArrival = frame.arrivedAt;
    this.#previous = frame;
    this.#stamped = frame.pts ?? this.#stamped;
    return { seq: this.#seq, pts: this.#pts, capturedAt: this.#capturedAt(frame), lost };
  }

  #lastArrival = 0n;
  /** What the pipeline's PTS count from. */
  #since: bigint | undefined;

  /** False at the first frame, after a restart, and where PTS restart or leap. */
  #continues(frame: RawFrame): boolean {
    const previous = this.#previous;
    if (!previous) return false;
    if (frame.pts === undefined) return true;
    const goesBack =
      this.#stamped === undefined
        ? frame.pts + this.#base <= this.#pts
        : frame.pts <= this.#stamped;
    return !goesBack && !this.#leaps(frame, previous);
  }

  /**
   * True if a live source's PTS go further than the time in which frames can have been lost: they
   * jumped, as those of a camera whose clock was set.
   */
  #leaps(frame: RawFrame, previous: RawFrame): boolean {
    if (!this.#live || frame.pts === undefined || previous.pts === undefined) return false;
    const elapsed = frame.arrivedAt - previous.arrivedAt;
    // The previous frame may have waited somewhere while newer ones were lost.
    const late = previous.arrivedAt - previous.pts - this.#smallestDelay(previous);
    return frame.pts - previous.pts > elapsed + late + leapTolerance;
  }

  /** Puts `frame` behind the last one: by real time for a camera, else by one frame interval. */
  #rebase(frame: RawFrame): void {
    this.#delay = undefined;
    if (frame.pts === undefined) return;
    const interval = this.#interval(frame);
    const elapsed = frame.arrivedAt - this.#lastArrival;
    const step = this.#live && elapsed > interval ? elapsed : interval;
    this.#base = this.#pts + step - frame.pts;
  }

  #lost(frame: RawFrame, previous: RawFrame): number {
    if (!this.#live || frame.pts === undefined || previous.pts === undefined) return 0;
    const step = frame.pts - previous.pts;
    const interval = this.#interval(frame);
    const wanted = this.#wantedThroughout(frame, previous, interval);
    if (wanted) this.#note(step);
    if (wanted && this.#losses === 'gaps while unrequested') return 0;
    return Math.max(0, Math.round(Number(step) / Number(interval)) - 1);
  }

  /** True if a request was pending all the time, so that the sink can have dropped nothing. */
  #wantedThroughout(frame: RawFrame, previous: RawFrame, interval: bigint): boolean {
    return (
      frame.askedAt - previous.arrivedAt < interval / 2n &&
      frame.arrivedAt - frame.askedAt > 500_000n
    );
  }

  #note(step: bigint): void {
    this.#steps.push(step);
    if (this.#steps.length > stepsKept) this.#steps.shift();
    if (this.#steps.length >= stepsNeeded) this.#measured = median(this.#steps);
  }

  #measured: bigint | undefined;

  /** The frame interval as measured while no frame can have been lost, else as in the caps. */
  #interval(frame: RawFrame): bigint {
    const interval = this.#measured ?? frame.caps.interval ?? frame.duration ?? fallbackInterval;
    return interval > 0n ? interval : fallbackInterval;
  }

  /**
   * A live frame may have waited before it was read, but its PTS was fixed when it was captured. PTS count
   * from the start of the pipeline; where they do not, the smallest delay between PTS and arrival converts
   * one to the other.
   */
  #capturedAt(frame: RawFrame): bigint {
    if (!this.#live || frame.pts === undefined) return frame.arrivedAt;
    const estimated = this.#byDelay(frame, frame.pts);
    if (this.#since === undefined || this.#since + frame.pts > estimated) return estimated;
    return this.#since + frame.pts;
  }

  #byDelay(frame: RawFrame, pts: bigint): bigint {
    const delay = frame.arrivedAt - pts;
    const window = this.#delay;
    if (!window) {
      this.#delay = { since: frame.arrivedAt, now: delay, before: undefined };
      return frame.arrivedAt;
    }
    if (frame.arrivedAt - window.since > delayWindow) {
      this.#delay = { since: frame.arrivedAt, now: delay, before: window.now };
    } else if (delay < window.now) {
      this.#delay = { ...window, now: delay };
    }
    return pts + this.#smallestDelay(frame);
  }

  #smallestDelay({ arrivedAt, pts = 0n }: RawFrame): bigint {
    if (!this.#delay) return arrivedAt - pts;
    const { now, before } = this.#delay;
    return before !== undefined && before < now ? before : now;
  }
}

function median(values: readonly bigint[]): bigint {
  return values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[values.length >> 1] as bigint;
}
