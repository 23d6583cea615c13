import type { OperatorFunction } from 'rxjs';
import type { Frame } from './frame.ts';

/** A raw picture's caps, as far as we use them. */
export interface VideoCaps {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  /** Nanoseconds between frames by the caps' framerate; undefined if variable (0/1). */
  readonly interval: bigint | undefined;
}

/** One picture as it came from a capture process. */
export interface RawFrame {
  readonly caps: VideoCaps;
  /** Packed RGB, or what a source of depth reads. */
  readonly data: Uint8Array;
  readonly pts: bigint | undefined;
  readonly duration: bigint | undefined;
  /** When the reader began to wait for it, monotonic nanoseconds (`process.hrtime`). */
  readonly askedAt: bigint;
  /** When the last of it was read, likewise. */
  readonly arrivedAt: bigint;
}

/** Where frames of a live source stand in time: a frame that is read much later than others is stale. */
export interface Freshness {
  /** Smallest delay between PTS and arrival, nanoseconds. */
  readonly delay: bigint;
  /** Usual time between two frames, nanoseconds. */
  readonly interval: bigint;
}

/** True if the source has a newer frame than one that arrived `now`. */
export function isStale(pts: bigint, now: bigint, { delay, interval }: Freshness): boolean {
  return now - pts - delay > interval;
}

/** Longest time for which frames are skipped because they were there before they were asked for. */
const skipping = 500_000_000n;

/**
 * The same before it is known how late frames are: true for one that had been captured well before the
 * first was asked for, so that it lay in the stream. All times are monotonic nanoseconds.
 *
 * @param since what PTS count from
 * @param interval between two frames, if that is known
 */
export function wasLying(
  { pts, arrivedAt }: Pick<RawFrame, 'pts' | 'arrivedAt'>,
  askedAt: bigint,
  since: bigint,
  interval = 33_333_333n,
): boolean {
  if (pts === undefined) return false;
  return askedAt - since - pts > interval && arrivedAt - askedAt < skipping;
}

export interface StreamHandlers {
  /** Called for each frame, in the order of the stream. */
  onFrame(frame: RawFrame): void;
  /**
   * The stream has ended, and every frame of it was given.
   *
   * @param damage what is wrong, if it was not its end
   * @param forGood true if it would be the same after a restart
   */
  onEnd(damage: string | undefined, forGood?: boolean): void;
}

/** A stream that is being read. */
export interface StreamHandle {
  /** Reads this many more frames. */
  ask(frames: number): void;
  /** PTS of a live source count from here, monotonic nanoseconds. */
  liveSince(since: bigint): void;
  /** For the frames that are read from now on. */
  freshness(known: Freshness): void;
  /** Since when a frame has been waited for, monotonic nanoseconds; undefined while none is. */
  readonly waitingSince: bigint | undefined;
  /** Resolves when the descriptor is no longer used; what writes to it must have ended. */
  close(): Promise<void>;
}

/** Reads the frames of a capture process in threads of its own, so that the main thread does not. */
export interface StreamReader {
  /** Frames that it works on at the same time. */
  readonly workers: number;
  /** @param descriptor one end of a socket, which blocks */
  read(descriptor: number, handlers: StreamHandlers): StreamHandle;
}

const reader = Symbol('captureStream.reader');

/** Marks an operator that reads the frames of the source in front of it itself. */
export function withReader(
  operator: OperatorFunction<Frame, Frame>,
  its: StreamReader,
): OperatorFunction<Frame, Frame> {
  return Object.assign(operator, { [reader]: its });
}

/** What reads the source's frames, if the operator that stands behind it does. */
export function readerOf(operator: object): StreamReader | undefined {
  return (operator as { [reader]?: StreamReader })[reader];
}
