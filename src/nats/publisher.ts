import type { ComponentContext } from '../core/component-context.ts';
import { reason } from '../core/errors.ts';
import { SinkLost } from '../core/sink-lost.ts';
import type { Connection } from './connection.ts';

/** A message for the server. */
export interface Message {
  readonly subject: string;
  /** Tells it from every other message: the server stores two of the same id once. */
  readonly id: string;
  readonly data: Uint8Array;
}

/** Sends one message; resolves when the server has acknowledged it. */
export type Send = (message: Message) => Promise<void>;

interface Outgoing extends Message {
  /** What was sent before, and failed, no longer counts. */
  attempt: number;
  settled: boolean;
  error?: unknown;
  /** `publish` has resolved: the frame counts as delivered. */
  handedOver: boolean;
  readonly onAcknowledged: () => void;
}

export interface PublisherParts {
  readonly connection: Connection;
  readonly send: Send;
  /** Messages that may be without an acknowledgement. */
  readonly limit: number;
  /** What becomes of a message that failed: sent again until it is acknowledged, or given up. */
  readonly onFailure: 'send-again' | 'give-up';
  readonly context: ComponentContext;
}

/** Before a message that the server refused is sent again, milliseconds. */
const pauseMs = 250;
/** How long the last acknowledgements may take when the run ends, milliseconds. */
const lastMs = 2000;

/**
 * Holds messages until the server has acknowledged them, at most `limit` of them. The client keeps none
 * across a reconnect, so all that are held are sent again when the connection is back, in their order.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  /** In the order of their first attempt. */
  readonly #held = new Set<Outgoing>();
  #wakers: (() => void)[] = [];
  #lost: Error | undefined;
  #closing = false;
  #toldOf: string | undefined;
  sentAgain = 0;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    const { connection, context } = parts;
    context.defer(() => this.#close());
    context.defer(connection.onChange((connected) => this.#onConnection(connected)));
    const wake = () => this.#wake();
    context.signal.addEventListener('abort', wake, { once: true });
    void connection.ended.then((error) => {
      this.#lost = new SinkLost(
        `the connection to ${connection.server} has ended: ${error ? reason(error) : 'closed'}`,
      );
      this.#wake();
    });
  }

  /**
   * Sends a message. Resolves when it is acknowledged or, while fewer than `limit` are not, when it was
   * sent.
   *
   * @param onAcknowledged told once the server has it
   * @throws the reason if it will not be acknowledged
   */
  async publish(message: Message, onAcknowledged: () => void): Promise<void> {
    if (this.#lost) throw this.#lost;
    const one: Outgoing = {
      ...message,
      attempt: 0,
      settled: false,
      handedOver: false,
      onAcknowledged,
    };
    this.#held.add(one);
    if (this.#parts.connection.connected) this.#try(one);
    const { signal } = this.#parts.context;
    while (!one.settled && this.#held.size >= this.#parts.limit) {
      if (signal.aborted || this.#lost) {
        this.#held.delete(one);
        throw this.#lost ?? new Error('not acknowledged when the run stopped');
      }
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
    if (one.error !== undefined) throw one.error;
    one.handedOver = true;
  }

  #try(one: Outgoing): void {
    const attempt = ++one.attempt;
    if (attempt > 1) this.sentAgain++;
    this.#parts.send(one).then(
      () => this.#onAcknowledged(one),
      (error: unknown) => {
        if (one.attempt === attempt) this.#onFailed(one, error);
      },
    );
  }

  #onAcknowledged(one: Outgoing): void {
    if (!this.#held.delete(one)) return;
    one.settled = true;
    this.#toldOf = undefined;
    one.onAcknowledged();
    this.#wake();
  }

  #onFailed(one: Outgoing, error: unknown): void {
    if (!this.#held.has(one)) return;
    const { connection, context, onFailure } = this.#parts;
    if (onFailure === 'give-up') {
      this.#held.delete(one);
      one.settled = true;
      if (one.handedOver) context.undelivered(1);
      else one.error = error;
      this.#wake();
      return;
    }
    // What is lost with the connection is sent again with the rest when it is back.
    if (!connection.connected) return;
    this.#tell(reason(error));
    const { attempt } = one;
    context.clock.after(pauseMs, () => {
      const still = this.#held.has(one) && one.attempt === attempt;
      if (still && connection.connected) this.#try(one);
    });
  }

  #onConnection(connected: boolean): void {
    if (connected) for (const one of this.#held) this.#try(one);
    this.#wake();
  }

  /** The same problem once, not for every frame. */
  #tell(message: string): void {
    if (this.#toldOf === message) return;
    this.#toldOf = message;
    this.#parts.context.log.warn(`the server has not accepted a frame, trying again: ${message}`);
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  async #close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { clock, log, undelivered } = this.#parts.context;
    let over = false;
    const cancel = clock.after(lastMs, () => {
      over = true;
      this.#wake();
    });
    while (this.#held.size > 0 && !over && !this.#lost) {
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    }
    cancel();
    const delivered = [...this.#held].filter(({ handedOver }) => handedOver).length;
    this.#held.clear();
    if (delivered === 0) return;
    undelivered(delivered);
    log.warn(
      `${delivered} ${delivered === 1 ? 'frame was' : 'frames were'} not acknowledged when the run ended, and count as failed; the server may have them all the same`,
    );
  }
}
