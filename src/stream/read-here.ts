import type { Duplex } from 'node:stream';
import type { StreamHandle, StreamHandlers } from '../core/capture-stream.ts';
import { reason } from '../core/errors.ts';
import { RefusedCaps, rgbForm, type StreamForm } from './form.ts';
import { FrameReader } from './frame-reader.ts';

/** Reads the stream of a capture process in this thread, no further than is asked for. */
export function readHere(
  socket: Duplex,
  handlers: StreamHandlers,
  form: StreamForm = rgbForm,
): StreamHandle {
  return new LocalReading(socket, handlers, form);
}

class LocalReading implements StreamHandle {
  readonly #socket: Duplex;
  readonly #handlers: StreamHandlers;
  readonly #reader: FrameReader;
  /** Bytes that were read but not asked for: the rest of a chunk, or of a process that has ended. */
  readonly #rest: Uint8Array[] = [];
  #asked = 0;
  #since = 0n;
  #ended = false;
  #over = false;

  constructor(socket: Duplex, handlers: StreamHandlers, form: StreamForm) {
    this.#socket = socket;
    this.#reader = new FrameReader(undefined, form);
    this.#handlers = handlers;
    socket.on('data', (bytes: Uint8Array) => {
      this.#rest.push(bytes);
      this.#work();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#work();
    });
    socket.pause();
  }

  get waitingSince(): bigint | undefined {
    return this.#asked > 0 ? this.#since : undefined;
  }

  ask(frames: number): void {
    if (this.#asked === 0) this.#since = process.hrtime.bigint();
    this.#asked += frames;
    this.#work();
  }

  liveSince(): void {}

  freshness(): void {}

  close(): Promise<void> {
    this.#over = true;
    return Promise.resolve();
  }

  #working = false;

  #work(): void {
    // A handler may ask for more frames.
    if (this.#working) return;
    this.#working = true;
    try {
      for (let bytes = this.#next(); bytes; bytes = this.#next()) this.#parse(bytes);
    } catch (error) {
      this.#over = true;
      this.#handlers.onEnd(reason(error), error instanceof RefusedCaps);
    }
    this.#working = false;
    if (this.#over) return;
    if (this.#ended && this.#rest.length === 0) {
      this.#over = true;
      this.#handlers.onEnd(undefined);
    } else if (this.#asked > 0) this.#socket.resume();
    else this.#socket.pause();
  }

  #next(): Uint8Array | undefined {
    return this.#asked > 0 && !this.#over ? this.#rest.shift() : undefined;
  }

  /** Up to the end of the frames that were asked for. */
  #parse(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#asked === 0 || this.#over) {
        this.#rest.unshift(bytes.subarray(at));
        return;
      }
      const { target } = this.#reader;
      const n = Math.min(bytes.length - at, target.length);
      target.set(n === bytes.length ? bytes : bytes.subarray(at, at + n));
      at += n;
      const picture = this.#reader.filled(n);
      if (!picture) continue;
      const [askedAt, arrivedAt] = [this.#since, process.hrtime.bigint()];
      this.#asked--;
      this.#since = arrivedAt;
      this.#handlers.onFrame({ ...picture, askedAt, arrivedAt });
    }
  }
}
