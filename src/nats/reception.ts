import type { ComponentContext } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import type { Connection } from './connection.ts';
import { CorruptMessages } from './corrupt-messages.ts';
import { readLive } from './live-reader.ts';
import { PlacedFrames } from './placed-frames.ts';

/** How a source gets its frames. */
export interface Reception {
  /** Resolves when the signal aborts, or there is no more. */
  read(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void>;
}

export interface LiveOptions {
  readonly subject: string;
}

/** The newest frame of a subject; what is skipped shows as a gap in its numbers, and is counted. */
export class LiveReception implements Reception {
  readonly #connection: Connection;
  readonly #options: LiveOptions;
  readonly #context: ComponentContext;
  readonly #corrupt: CorruptMessages;

  constructor(connection: Connection, options: LiveOptions, context: ComponentContext) {
    this.#connection = connection;
    this.#options = options;
    this.#context = context;
    this.#corrupt = new CorruptMessages(context);
    const { server } = connection;
    context.summary(() => ({
      server,
      ...(this.#corrupt.count > 0 && { corrupt: this.#corrupt.count }),
    }));
  }

  async read(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    const { gate, dropped } = this.#context;
    const placed = new PlacedFrames(this.#context, { ordered: true, live: true });
    const { subject } = this.#options;
    for await (const arrival of readLive(
      this.#connection,
      subject,
      this.#context,
      this.#corrupt,
      signal,
    )) {
      const frame = placed.place(arrival, this.#corrupt.takeSkipped());
      if (gate.open) emit(frame);
      else dropped(1, 'at capture');
      await gate.opened(signal);
      if (signal.aborted) return;
    }
  }
}
