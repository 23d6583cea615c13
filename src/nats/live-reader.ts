import type { Msg } from '@nats-io/transport-node';
import type { ComponentContext } from '../core/component-context.ts';
import { type Arrival, readMessage } from './arrival.ts';
import type { Connection } from './connection.ts';
import type { CorruptMessages } from './corrupt-messages.ts';

/**
 * The newest message of a subject, over and over. What comes while the pipeline is busy is replaced by
 * what comes after it, so one message waits at most.
 */
export async function* readLive(
  { nats, ended }: Connection,
  subject: string,
  { gate, clock }: ComponentContext,
  corrupt: CorruptMessages,
  signal: AbortSignal,
): AsyncGenerator<Arrival> {
  let slot: { readonly message: Msg; readonly receivedAt: bigint } | undefined;
  let failure: Error | undefined;
  let over = false;
  let wake = () => {};
  const end = (error?: Error) => {
    failure ??= error;
    over = true;
    wake();
  };
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error) return end(error);
      // While the gate is held nothing is wanted; what comes then is stale when it opens. The gap in the
      // numbers of the next one shows it.
      slot = gate.open ? { message, receivedAt: clock.wall() } : undefined;
      wake();
    },
  });
  const stop = () => end();
  signal.addEventListener('abort', stop, { once: true });
  void ended.then((error) => end(error));
  try {
    while (!over && !signal.aborted) {
      const received = slot;
      slot = undefined;
      if (!received) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      try {
        yield await readMessage(received.message, received.receivedAt);
      } catch (error) {
        corrupt.add(error);
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    subscription.unsubscribe();
  }
  if (failure) throw failure;
}
