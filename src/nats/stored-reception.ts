import type { ComponentContext } from '../core/component-context.ts';
import type { Frame, Origin } from '../core/frame.ts';
import { expectReceipt } from '../core/receipts.ts';
import type { Connection } from './connection.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { CorruptMessages } from './corrupt-messages.ts';
import { PlacedFrames } from './placed-frames.ts';
import type { Reception } from './reception.ts';
import { type Numbered, Reorder } from './reorder.ts';
import { type Stored, StoredReader } from './stored-reader.ts';

export interface StoredOptions {
  readonly subject: string;
  readonly consumer: ConsumerOptions;
  readonly order?: { readonly deadline: number; readonly limit: number } | undefined;
}

type Item = Stored & Numbered;

/** Every frame of a stream; acknowledged once every branch has delivered it. */
export class StoredReception implements Reception {
  readonly #connection: Connection;
  readonly #options: StoredOptions;
  readonly #context: ComponentContext;
  readonly #corrupt: CorruptMessages;
  readonly #placed: PlacedFrames;
  readonly #ready: Item[] = [];
  #reader: StoredReader | undefined;
  #pumping: Promise<void> | undefined;
  #late = 0;

  constructor(connection: Connection, options: StoredOptions, context: ComponentContext) {
    this.#connection = connection;
    this.#options = options;
    this.#context = context;
    this.#corrupt = new CorruptMessages(context);
    this.#placed = new PlacedFrames(context, { ordered: options.order !== undefined, live: false });
    const { server } = connection;
    context.summary(() => ({
      server,
      acknowledged: this.#reader?.acknowledged ?? 0,
      redelivered: this.#reader?.redelivered ?? 0,
      ...(options.order && { late: this.#late }),
      ...(this.#corrupt.count > 0 && { corrupt: this.#corrupt.count }),
    }));
  }

  async read(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    const { subject, consumer, order } = this.#options;
    const context = this.#context;
    this.#reader = new StoredReader({
      connection: this.#connection,
      subject,
      options: consumer,
      context,
      corrupt: this.#corrupt,
      signal,
    });
    const failed = failure();
    const pump = (): Promise<void> => {
      this.#pumping ??= this.#emitReady(emit, signal).finally(() => {
        this.#pumping = undefined;
        // What became ready while the last one was emitted.
        if (this.#ready.length > 0 && !signal.aborted) return pump();
        return undefined;
      });
      return this.#pumping;
    };
    const reorder =
      order &&
      new Reorder<Item>({
        clock: context.clock,
        deadlineMs: order.deadline,
        limit: order.limit,
        release: (item) => {
          this.#ready.push(item);
          pump().catch(failed.reject);
        },
        late: (item) => {
          this.#late++;
          item.acknowledge();
        },
      });
    try {
      await Promise.race([this.#readAll(reorder, pump, signal), failed.promise]);
    } finally {
      reorder?.close();
    }
  }

  async #readAll(
    reorder: Reorder<Item> | undefined,
    pump: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const stored of (this.#reader as StoredReader).read()) {
      const { subject: series, header } = stored;
      const item = { ...stored, series, seq: header.seq, dropped: header.dropped };
      if (reorder) reorder.add(item);
      else this.#ready.push(item);
      // The next one is taken from the stream when this pipeline has room.
      await pump();
      if (signal.aborted) return;
    }
    reorder?.flush();
    await pump();
  }

  async #emitReady(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    const { gate } = this.#context;
    for (let item = this.#ready[0]; item && !signal.aborted; item = this.#ready[0]) {
      await gate.opened(signal);
      if (signal.aborted) return;
      this.#ready.shift();
      const frame = this.#placed.place(item, this.#corrupt.takeSkipped());
      this.#expect(frame.origin as Origin, item);
      emit(frame);
    }
  }

  #expect(origin: Origin, { acknowledge }: Item): void {
    const branches = new Set<string>();
    const all = Math.max(1, this.#context.runStats().branches.length);
    expectReceipt(origin, (branch) => {
      if (branches.size === all) return;
      branches.add(branch);
      if (branches.size === all) acknowledge();
    });
  }
}

/** A promise that only ever rejects. */
function failure() {
  let reject = (_: unknown) => {};
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}
