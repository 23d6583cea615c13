import { freshBytes } from '../core/fresh-bytes.ts';

/**
 * Memory that a worker shares with the main thread: one picture, and its depth. Buffers that are transferred
 * instead count as old memory in the thread that gets them, and V8 then marks its whole heap every few
 * megabytes: ten milliseconds, several times per second.
 */
export interface SlotMemory {
  /** uint8, room for RGBA. */
  readonly pixels: SharedArrayBuffer;
  /** float32 metres. */
  readonly depth: SharedArrayBuffer;
  /** Which frame of a stream it holds. */
  readonly frame: SharedArrayBuffer;
}

const states = { free: 0, working: 1, done: 2 } as const;
const longs = { seq: 1, pts: 2, duration: 3, askedAt: 4, arrivedAt: 5, stream: 6 } as const;
const msAt = 7;
const frameBytes = 8 * 8;
const none = -1n;

/** A frame of a stream that a worker has read itself. */
export interface SlotFrame {
  /** Number of the stream. */
  readonly stream: number;
  readonly seq: bigint;
  readonly pts: bigint | undefined;
  readonly duration: bigint | undefined;
  readonly askedAt: bigint;
  readonly arrivedAt: bigint;
}

export function slotMemory(pixels: number, depths: number): SlotMemory {
  return {
    pixels: new SharedArrayBuffer(pixels * 4),
    depth: new SharedArrayBuffer(depths * Float32Array.BYTES_PER_ELEMENT),
    frame: new SharedArrayBuffer(frameBytes),
  };
}

/** A slot as either thread sees it. */
export class Slot {
  readonly pixels: Uint8Array;
  readonly depth: Float32Array;
  readonly #state: Int32Array;
  readonly #longs: BigInt64Array;
  readonly #ms: Float64Array;

  constructor(memory: SlotMemory) {
    this.pixels = new Uint8Array(memory.pixels);
    this.depth = new Float32Array(memory.depth);
    this.#state = new Int32Array(memory.frame);
    this.#longs = new BigInt64Array(memory.frame);
    this.#ms = new Float64Array(memory.frame);
  }

  /** In the worker: waits until the main thread has taken what was in it. */
  waitUntilFree(): void {
    for (;;) {
      const state = Atomics.load(this.#state, 0);
      if (state === states.free) return;
      Atomics.wait(this.#state, 0, state);
    }
  }

  /** In the worker: this frame is worked on. */
  begin(
    stream: number,
    { seq, pts = none, duration = none, askedAt, arrivedAt }: Omit<SlotFrame, 'stream'>,
  ): void {
    this.#longs[longs.stream] = BigInt(stream);
    this.#longs[longs.seq] = seq;
    this.#longs[longs.pts] = pts;
    this.#longs[longs.duration] = duration;
    this.#longs[longs.askedAt] = askedAt;
    this.#longs[longs.arrivedAt] = arrivedAt;
    Atomics.store(this.#state, 0, states.working);
  }

  /** In the worker: `depth` is there, after so many milliseconds. */
  finish(ms: number): void {
    this.#ms[msAt] = ms;
    Atomics.store(this.#state, 0, states.done);
  }

  /** In the main thread: the depth, in memory of its own. */
  copyDepth(): Float32Array {
    const { buffer, byteOffset } = freshBytes(this.depth.byteLength);
    const copy = new Float32Array(buffer, byteOffset, this.depth.length);
    copy.set(this.depth);
    return copy;
  }

  get isDone(): boolean {
    return Atomics.load(this.#state, 0) === states.done;
  }

  get ms(): number {
    return this.#ms[msAt] as number;
  }

  /** The frame in it; undefined if it is free. */
  get frame(): SlotFrame | undefined {
    if (Atomics.load(this.#state, 0) === states.free) return undefined;
    const at = (place: number) => this.#longs[place] as bigint;
    const time = (place: number) => (at(place) === none ? undefined : at(place));
    return {
      stream: Number(at(longs.stream)),
      seq: at(longs.seq),
      pts: time(longs.pts),
      duration: time(longs.duration),
      askedAt: at(longs.askedAt),
      arrivedAt: at(longs.arrivedAt),
    };
  }

  /** In the main thread. */
  free(): void {
    Atomics.store(this.#state, 0, states.free);
    Atomics.notify(this.#state, 0);
  }
}
