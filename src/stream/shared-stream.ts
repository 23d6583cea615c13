import { readSync } from 'node:fs';
import { isStale, type VideoCaps, wasLying } from '../core/capture-stream.ts';
import { reason } from '../core/errors.ts';
import type { FrameReader, ReadPicture } from './frame-reader.ts';

/** Places in the memory: 32-bit, then 64-bit. */
const words = { reading: 0, credits: 1, caps: 2 } as const;
const longs = {
  seq: 1,
  width: 2,
  height: 3,
  interval: 4,
  waiting: 5,
  delay: 6,
  usual: 7,
  since: 8,
} as const;
const firstLong = 2;
const bytes = (firstLong + 9) * 8;

/** Values of `reading`; above 0 it is the number of the thread that reads. */
const free = 0;
const closed = -1;
/** Of `credits`: no frame may be read any more. A thread that waits for a credit sees it in the same word. */
const over = -1;

/** A picture, and its place among those of the stream. */
export interface Taken extends ReadPicture {
  readonly seq: bigint;
  readonly askedAt: bigint;
  readonly arrivedAt: bigint;
}

/** Why a thread reads no further. */
export interface StreamOver {
  /** It was this thread's turn to read: the stream is over for all, and its descriptor no longer used. */
  readonly ended: boolean;
  /** What is wrong, if the stream has not simply ended. */
  readonly damage?: string | undefined;
}

/**
 * A stream that several threads read in turn, each a whole frame, with calls that block. The main thread
 * says how many frames may be read. In memory that all of them share.
 */
export class SharedStream {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #longs: BigInt64Array;
  /** What `caps` was read from last. */
  #capsVersion = 0;
  #caps: VideoCaps | undefined;

  constructor(memory = new SharedArrayBuffer(bytes)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, firstLong * 2);
    this.#longs = new BigInt64Array(memory, firstLong * 8);
  }

  // The main thread.

  ask(frames: number): void {
    if (this.#isOver) return;
    Atomics.add(this.#words, words.credits, frames);
    Atomics.notify(this.#words, words.credits);
  }

  /** Lets no thread read any more. @returns false if one still does; it stops after its frame, and says so */
  close(): boolean {
    Atomics.store(this.#words, words.credits, over);
    Atomics.notify(this.#words, words.credits);
    const before = Atomics.compareExchange(this.#words, words.reading, free, closed);
    Atomics.notify(this.#words, words.reading);
    return before <= free;
  }

  /** A thread has died. @returns true if it was reading: the stream cannot be read any further */
  abandon(thread: number): boolean {
    const before = Atomics.compareExchange(this.#words, words.reading, thread, closed);
    Atomics.notify(this.#words, words.reading);
    return before === thread;
  }

  /** Frames that were read. */
  get count(): bigint {
    return Atomics.load(this.#longs, longs.seq);
  }

  /** Since when a frame has been waited for, monotonic nanoseconds. */
  get waitingSince(): bigint | undefined {
    const since = Atomics.load(this.#longs, longs.waiting);
    return since === 0n ? undefined : since;
  }

  setSince(since: bigint): void {
    Atomics.store(this.#longs, longs.since, since);
  }

  setFreshness(delay: bigint, interval: bigint): void {
    Atomics.store(this.#longs, longs.delay, delay);
    Atomics.store(this.#longs, longs.usual, interval);
  }

  /** Of the pictures that follow. */
  get caps(): VideoCaps | undefined {
    const version = Atomics.load(this.#words, words.caps);
    if (version === this.#capsVersion) return this.#caps;
    const at = (place: number) => Atomics.load(this.#longs, place);
    const [width, height, interval] = [at(longs.width), at(longs.height), at(longs.interval)];
    this.#capsVersion = version;
    this.#caps = {
      format: 'RGB',
      width: Number(width),
      height: Number(height),
      interval: interval === 0n ? undefined : interval,
    };
    return this.#caps;
  }

  // A thread that reads.

  /**
   * Reads the next frame that may be read, however long that takes.
   *
   * @param thread its number, 1 or above
   */
  take(thread: number, descriptor: number, reader: FrameReader): Taken | StreamOver {
    if (!this.#takeCredit() || !this.#lock(thread)) return { ended: false };
    let next: Taken | StreamOver = { ended: true };
    try {
      next = this.#read(descriptor, reader);
    } catch (error) {
      next = { ended: true, damage: reason(error) };
    } finally {
      Atomics.store(this.#longs, longs.waiting, 0n);
      Atomics.store(this.#words, words.reading, 'seq' in next ? free : closed);
      Atomics.notify(this.#words, words.reading);
    }
    return next;
  }

  #read(descriptor: number, reader: FrameReader): Taken | StreamOver {
    const askedAt = process.hrtime.bigint();
    Atomics.store(this.#longs, longs.waiting, askedAt);
    reader.caps = this.caps;
    for (;;) {
      const { target } = reader;
      const length = readSync(descriptor, target, 0, target.length, null);
      if (length === 0) return { ended: true };
      const before = reader.caps;
      const picture = reader.filled(length);
      if (reader.caps !== before) this.#setCaps(reader.caps as VideoCaps);
      if (this.#isOver) return { ended: true };
      if (!picture) continue;
      const arrivedAt = process.hrtime.bigint();
      if (this.#isStale(picture, askedAt, arrivedAt)) continue;
      const seq = Atomics.add(this.#longs, longs.seq, 1n);
      const { caps, data, pts, duration } = picture;
      return { caps, data, pts, duration, seq, askedAt, arrivedAt };
    }
  }

  #isStale({ pts, caps }: ReadPicture, askedAt: bigint, now: bigint): boolean {
    const interval = Atomics.load(this.#longs, longs.usual);
    if (interval === 0n) {
      const since = Atomics.load(this.#longs, longs.since);
      return since > 0n && wasLying({ pts, arrivedAt: now }, askedAt, since, caps.interval);
    }
    if (pts === undefined) return false;
    return isStale(pts, now, { delay: Atomics.load(this.#longs, longs.delay), interval });
  }

  #setCaps({ width, height, interval = 0n }: VideoCaps): void {
    Atomics.store(this.#longs, longs.width, BigInt(width));
    Atomics.store(this.#longs, longs.height, BigInt(height));
    Atomics.store(this.#longs, longs.interval, interval);
    Atomics.add(this.#words, words.caps, 1);
  }

  get #isOver(): boolean {
    return Atomics.load(this.#words, words.credits) === over;
  }

  #takeCredit(): boolean {
    for (;;) {
      const credits = Atomics.load(this.#words, words.credits);
      if (credits === over) return false;
      if (credits === 0) Atomics.wait(this.#words, words.credits, 0);
      else if (
        Atomics.compareExchange(this.#words, words.credits, credits, credits - 1) === credits
      )
        return true;
    }
  }

  #lock(thread: number): boolean {
    for (;;) {
      const holder = Atomics.compareExchange(this.#words, words.reading, free, thread);
      if (holder === free) return true;
      if (holder === closed) return false;
      Atomics.wait(this.#words, words.reading, holder);
    }
  }
}
