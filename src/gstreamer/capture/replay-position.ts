import type { RawFrame } from '../../core/capture-stream.ts';

type Stamp = Pick<RawFrame, 'pts'>;

/** Read position in a file: after a restart, frames before it are skipped. */
export interface ReplayPosition {
  /** Records a frame that is taken. */
  advance(frame: Stamp): void;
  /** The file is read from its start again, to continue at the position. */
  resume(): void;
  /** The file restarts, and the position with it. */
  rewind(): void;
  /** True for a frame that was taken before the restart. */
  seenBefore(frame: Stamp): boolean;
  /** The newest PTS to skip, nanoseconds; 0 for none. */
  readonly pts: bigint;
}

/** A position in frames: exact where every frame is taken, whatever its PTS. */
export class FramePosition implements ReplayPosition {
  #taken = 0;
  #skip = 0;
  readonly pts = 0n;

  advance(): void {
    this.#taken++;
  }

  resume(): void {
    this.#skip = this.#taken;
  }

  rewind(): void {
    this.#taken = 0;
    this.#skip = 0;
  }

  seenBefore(): boolean {
    if (this.#skip === 0) return false;
    this.#skip--;
    return true;
  }
}

/**
 * A position in time, for a file whose frames are dropped and cannot be counted. PTS may restart within
 * the file; these restarts are counted.
 */
export class TimePosition implements ReplayPosition {
  #taken = beginning();
  #skip = beginning();
  #read = beginning();

  get pts(): bigint {
    return this.#skip.pts < 0n ? 0n : this.#skip.pts;
  }

  advance({ pts }: Stamp): void {
    step(this.#taken, pts);
  }

  resume(): void {
    this.#skip = { ...this.#taken };
    this.#read = beginning();
  }

  rewind(): void {
    this.#taken = beginning();
    this.#skip = beginning();
  }

  seenBefore({ pts }: Stamp): boolean {
    if (this.#skip.pts < 0n) return false;
    step(this.#read, pts);
    const { turn, pts: newest } = this.#skip;
    if (this.#read.turn < turn) return true;
    if (this.#read.turn === turn && this.#read.pts <= newest) return true;
    this.#skip = beginning();
    return false;
  }
}

interface Moment {
  turn: number;
  pts: bigint;
}

const beginning = (): Moment => ({ turn: 0, pts: -1n });

function step(moment: Moment, pts: bigint | undefined): void {
  if (pts === undefined) return;
  if (pts < moment.pts) moment.turn++;
  moment.pts = pts;
}
