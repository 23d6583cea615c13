import type {
  Freshness,
  RawFrame,
  StreamHandle,
  StreamHandlers,
  VideoCaps,
} from '../core/capture-stream.ts';
import type { DepthlineError } from '../core/errors.ts';
import { SharedStream } from '../stream/shared-stream.ts';
import type { Inference, InferenceThread } from './inference-thread.ts';
import type { Slot, SlotFrame } from './slot.ts';

/** Depth of a frame that a worker has read, or why there is none. */
export type Outcome = Inference | DepthlineError;

export interface PoolStreamParts extends StreamHandlers {
  readonly descriptor: number;
  readonly pictureUsed: boolean;
  /** Called before `onFrame`, with what came of the frame. */
  onOutcome(data: Uint8Array, outcome: Outcome, thread: number): void;
}

let streams = 0;

/**
 * A capture stream that the workers of a pool read themselves, each the next frame, and run the model on in
 * place. Frames are given in the order of the stream, once their depth is there.
 */
export class PoolStream implements StreamHandle {
  readonly #parts: PoolStreamParts;
  readonly #number = ++streams;
  readonly #shared = new SharedStream();
  /** Frames that are done before an earlier one, by number. */
  readonly #done = new Map<bigint, RawFrame>();
  #next = 0n;
  #ended = false;
  #damage: string | undefined;
  /** The main thread wants nothing more of it. */
  #over = false;
  #closed!: () => void;
  readonly #whenClosed: Promise<void>;

  constructor(parts: PoolStreamParts) {
    this.#parts = parts;
    this.#whenClosed = new Promise((resolve) => {
      this.#closed = resolve;
    });
  }

  /** Lets a worker of the pool read too. @param thread its number, from 1 */
  add(worker: InferenceThread, thread: number): void {
    if (this.#over || this.#ended) return;
    const { descriptor, pictureUsed } = this.#parts;
    const { memory } = this.#shared;
    const setup = { stream: this.#number, thread, memory, descriptor, pictureUsed };
    worker.follow(setup, {
      onFrame: (slot, failure) => {
        const depth = () => ({ depth: slot.copyDepth(), ...worker.size, ms: slot.ms });
        this.#onFrame(slot, () => failure ?? depth(), thread);
      },
      onLeft: ({ ended, damage }) => {
        if (ended) this.#onEnd(damage);
        else this.#closeIfLeft();
      },
      onDied: () => {
        if (this.#shared.abandon(thread)) this.#onEnd('the worker that was reading it died');
        else this.#closeIfLeft();
      },
    });
  }

  ask(frames: number): void {
    this.#shared.ask(frames);
  }

  liveSince(since: bigint): void {
    this.#shared.setSince(since);
  }

  freshness({ delay, interval }: Freshness): void {
    this.#shared.setFreshness(delay, interval);
  }

  get waitingSince(): bigint | undefined {
    return this.#shared.waitingSince;
  }

  close(): Promise<void> {
    this.#over = true;
    this.#closeIfLeft();
    return this.#whenClosed;
  }

  /** Whoever was reading may have finished its frame in the moment in which the stream was closed. */
  #closeIfLeft(): void {
    if (this.#over && this.#shared.close()) this.#closed();
  }

  #onFrame(slot: Slot, outcome: () => Outcome, thread: number): void {
    if (this.#over) return;
    const { pictureUsed, onOutcome } = this.#parts;
    const frame = slot.frame as SlotFrame;
    const caps = this.#shared.caps as VideoCaps;
    const length = caps.width * caps.height * 3;
    // Where nobody looks at it, the picture is only something to know the frame by.
    const data = pictureUsed ? slot.pixels.slice(0, length) : slot.pixels.subarray(0, length);
    onOutcome(data, outcome(), thread);
    this.#done.set(frame.seq, { ...frame, caps, data });
    this.#flush();
  }

  /** The descriptor is no longer read. */
  #onEnd(damage: string | undefined): void {
    this.#closed();
    if (this.#ended) return;
    this.#ended = true;
    this.#damage = damage;
    this.#flush();
  }

  #flush(): void {
    for (let frame = this.#take(); frame; frame = this.#take()) this.#parts.onFrame(frame);
    if (this.#over || !this.#ended || this.#next < this.#shared.count) return;
    this.#over = true;
    this.#parts.onEnd(this.#damage);
  }

  #take(): RawFrame | undefined {
    const frame = this.#over ? undefined : this.#done.get(this.#next);
    if (frame) this.#done.delete(this.#next++);
    return frame;
  }
}
