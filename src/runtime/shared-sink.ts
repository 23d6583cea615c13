import type { Sink } from '../core/component.ts';
import type { Frame } from '../core/frame.ts';

interface Waiting {
  readonly frame: Frame;
  /** Aborts when the camera gives up its frame. */
  readonly signal: AbortSignal;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * One sink that takes the frames of several cameras, one at a time. Each camera's writer waits for its
 * frame before it gives the next, so at most one frame of each waits here, and they are written in turn.
 */
export class SharedSink {
  readonly #sink: Sink;
  readonly #waiting: Waiting[] = [];
  #writing = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** The sink as a camera sees it. @param signal aborts when the camera gives up its frame */
  for(camera: string, signal: AbortSignal): Sink {
    const wanted = this.#sink.wantedOf?.(camera) ?? this.#sink.wanted;
    return { ...(wanted && { wanted }), write: (frame) => this.#write(frame, signal) };
  }

  #write(frame: Frame, signal: AbortSignal): void | Promise<void> {
    if (!this.#writing) return this.#begin(frame);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frame, signal, resolve, reject });
    });
  }

  #begin(frame: Frame): void | Promise<void> {
    const written = this.#sink.write(frame);
    if (typeof written?.then !== 'function') return undefined;
    this.#writing = true;
    return this.#finish(written);
  }

  async #finish(written: PromiseLike<void>): Promise<void> {
    try {
      await written;
    } finally {
      this.#writing = false;
      this.#next();
    }
  }

  #next(): void {
    while (!this.#writing) {
      const next = this.#waiting.shift();
      if (!next) return;
      if (next.signal.aborted) {
        next.reject(next.signal.reason);
        continue;
      }
      try {
        Promise.resolve(this.#begin(next.frame)).then(next.resolve, next.reject);
      } catch (error) {
        next.reject(error);
      }
    }
  }
}
