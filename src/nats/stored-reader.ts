import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerMessages, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { type Arrival, readMessage } from './arrival.ts';
import type { Connection } from './connection.ts';
import { type ConsumerOptions, consumerConfig } from './consumer-options.ts';
import type { CorruptMessages } from './corrupt-messages.ts';
import { subjectsMeet } from './subjects-meet.ts';

/** A message of a stream, which the stream keeps until it is told that all is well. */
export interface Stored extends Arrival {
  /** Tells the stream that it need not give the message to anybody again. */
  acknowledge(): void;
}

/** How often the end of a stream is looked for, milliseconds. */
const askAgainMs = 100;
/** Beyond the time in which a message must be acknowledged, until the server has given it to another; milliseconds. */
const returnsWithinMs = 1000;

export interface StoredReaderParts {
  readonly connection: Connection;
  readonly subject: string;
  readonly options: ConsumerOptions;
  readonly context: ComponentContext;
  readonly corrupt: CorruptMessages;
  readonly signal: AbortSignal;
}

/** Messages of a durable consumer, as the stream gives them out. */
export class StoredReader {
  readonly #parts: StoredReaderParts;
  /** By their number in the stream: what is given back when this reader ends. */
  readonly #held = new Map<number, JsMsg>();
  /** When this reader waits no longer for what others hold, once it has reached the end. */
  #waitsUntil: number | undefined;
  acknowledged = 0;
  redelivered = 0;

  constructor(parts: StoredReaderParts) {
    this.#parts = parts;
    parts.context.defer(() => this.#giveBack());
  }

  /**
   * Reads on whenever the next one is asked for; ends when the signal aborts, or at the end of the stream
   * if the options say so.
   */
  async *read(): AsyncGenerator<Stored> {
    const { connection, context, options, subject, corrupt, signal } = this.#parts;
    const { nats, server } = connection;
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(nats).catch((error: unknown) => {
      const how = 'start nats-server with --jetstream, or leave "consumer" out';
      throw new DepthlineError('SOURCE', `${server} has no JetStream; ${how}`, { cause: error });
    });
    const { num_pending, num_ack_pending } = await this.#ensureConsumer(manager);
    const stops = options['at-end'] === 'stop';
    if (stops && num_pending === 0 && num_ack_pending === 0) return;
    const consumer = await jetstream(nats).consumers.get(options.stream, options.durable);
    const messages: ConsumerMessages = await consumer.consume({
      max_messages: options.ahead,
      // Without it the client waits for a deleted durable without end.
      abort_on_missing_resource: true,
    });
    const iterator = messages[Symbol.asyncIterator]();
    const next = () =>
      iterator.next().catch((error: unknown) => {
        throw ended(options, error);
      });
    const stop = () => messages.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    let isLast = stops && num_pending === 0;
    try {
      for (;;) {
        const coming = next();
        if (isLast && (await this.#isEnd(manager, coming))) {
          void coming.then(
            ({ value }) => value?.nak(),
            () => {},
          );
          return;
        }
        const { value: message, done } = await coming;
        if (done || !message) break;
        if (signal.aborted) {
          message.nak();
          continue;
        }
        // Another reader can have changed the durable since this one began.
        if (!subjectsMeet(subject, message.subject)) {
          message.nak();
          throw otherSubject(options, message.subject, subject);
        }
        if (message.redelivered) this.redelivered++;
        this.#hold(message);
        const arrival = await readMessage(message, context.clock.wall()).catch((error: unknown) => {
          // Nobody can read it.
          message.term();
          this.#held.delete(message.seq);
          corrupt.add(error);
        });
        if (arrival) yield { ...arrival, acknowledge: () => this.#acknowledge(message) };
        isLast = stops && message.info.pending === 0;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      messages.stop();
      await refuseRest(iterator);
    }
    const end = await Promise.race([messages.closed(), connection.ended]);
    if (end instanceof Error && !signal.aborted) throw ended(options, end);
  }

  /**
   * Whether nothing is left but what this reader holds: what another has given back, or has taken along when it
   * ended, comes again after the last one, within the time to acknowledge it. What is held for longer is with a
   * reader that lives, and may be waiting for this one. False as soon as there is another message.
   */
  async #isEnd(manager: JetStreamManager, coming: Promise<unknown>): Promise<boolean> {
    const { stream, durable, 'acknowledge-within': withinMs } = this.#parts.options;
    this.#waitsUntil ??= performance.now() + withinMs + returnsWithinMs;
    const another = coming.then(
      () => false,
      () => false,
    );
    const rest = async () => {
      const { num_pending, num_ack_pending } = await manager.consumers.info(stream, durable);
      return num_pending + num_ack_pending > this.#held.size;
    };
    for (;;) {
      // A durable that is gone, or a server, is noticed by who reads on.
      const isRest = rest().catch(() => true);
      const found = await Promise.race([another, isRest.then((more) => (more ? undefined : true))]);
      if (found !== undefined) return found;
      if (performance.now() > this.#waitsUntil) return true;
      if ((await Promise.race([another, sleep(askAgainMs)])) === false) return false;
    }
  }

  async #ensureConsumer(manager: JetStreamManager) {
    const { options, subject, context } = this.#parts;
    const { stream, durable } = options;
    try {
      await manager.streams.info(stream);
    } catch (error) {
      const how = 'start the pipeline that publishes to it first, or correct "consumer.stream"';
      throw new DepthlineError('SOURCE', `there is no stream ${stream}; ${how}`, { cause: error });
    }
    const existing = await manager.consumers.info(stream, durable).catch(() => undefined);
    if (existing) {
      const { filter_subject = '>', ack_wait } = existing.config;
      if (filter_subject !== subject) throw otherSubject(options, filter_subject, subject);
      if (ack_wait !== consumerConfig(options, subject).ack_wait)
        context.log.warn(`durable ${durable} keeps its own time to acknowledge: ${ack_wait} ns`);
      return existing;
    }
    try {
      return await manager.consumers.add(stream, consumerConfig(options, subject));
    } catch (error) {
      const created = await manager.consumers.info(stream, durable).catch(() => undefined);
      if (created) return created;
      const message = `cannot create durable ${durable} of stream ${stream}: ${reason(error)}`;
      throw new DepthlineError('SOURCE', message, { cause: error });
    }
  }

  #hold(message: JsMsg): void {
    this.#held.delete(message.seq);
    this.#held.set(message.seq, message);
    // What the pipeline dropped stays unacknowledged; the stream gives it out again by itself.
    const [oldest] = this.#held.keys();
    if (this.#held.size > this.#parts.options.unacknowledged && oldest !== undefined)
      this.#held.delete(oldest);
  }

  #acknowledge(message: JsMsg): void {
    message.ack();
    if (this.#held.get(message.seq) === message) this.#held.delete(message.seq);
    this.acknowledged++;
  }

  /** Another reader gets them at once, not when their time is over. */
  async #giveBack(): Promise<void> {
    const { nats, connected } = this.#parts.connection;
    if (!connected || nats.isClosed()) return;
    for (const message of this.#held.values()) message.nak();
    this.#held.clear();
    await nats.flush().catch(() => {});
  }
}

/** Frames of another subject are those of another camera. */
function otherSubject(
  { durable, stream }: ConsumerOptions,
  read: string,
  wanted: string,
): DepthlineError {
  return new DepthlineError(
    'SOURCE',
    `durable ${durable} of stream ${stream} reads ${read}, not ${wanted}; give each subject a durable of its own`,
  );
}

function ended({ durable, stream }: ConsumerOptions, error: unknown): DepthlineError {
  const missing = /(consumer|stream) (deleted|not found)/i.test(reason(error));
  const message = missing
    ? `durable ${durable} of stream ${stream} is no longer there (${reason(error)}); the next run creates it again, if there is the stream`
    : `stream ${stream}: ${reason(error)}`;
  return new DepthlineError('SOURCE', message, { cause: error });
}

/** What was taken ahead and not asked for. */
async function refuseRest(iterator: AsyncIterator<JsMsg>): Promise<void> {
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    value.nak();
  }
}
