import type { MsgHdrs } from '@nats-io/transport-node';
import { DepthlineError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { Send } from './publisher.ts';
import { ensureStream, type StreamOptions } from './stream-options.ts';

/** Longer than a server takes that has anything to say, milliseconds. */
const acknowledgeMs = 5000;

/** Core NATS: the server has a message when it has answered a ping behind it. */
export async function sendLive({ nats }: Connection): Promise<Send> {
  const { headers } = await import('@nats-io/transport-node');
  return ({ subject, id, data }) => {
    nats.publish(subject, data, { headers: withId(headers(), id) });
    return nats.flush();
  };
}

function withId(headers: MsgHdrs, id: string): MsgHdrs {
  headers.set('Nats-Msg-Id', id);
  return headers;
}

/**
 * JetStream: a message is acknowledged when it is stored.
 *
 * @throws DepthlineError `SINK` if the server has no JetStream, or no stream for the subject
 */
export async function sendStored(
  { nats, server }: Connection,
  { subject, stream }: { readonly subject: string; readonly stream: StreamOptions | undefined },
  warn: (message: string) => void,
): Promise<Send> {
  const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
  const manager = await jetstreamManager(nats).catch((error: unknown) => {
    const how = 'start nats-server with --jetstream, or use "delivery: live"';
    throw new DepthlineError('SINK', `${server} has no JetStream; ${how}`, { cause: error });
  });
  await ensureStream(manager, subject, stream, warn);
  const client = jetstream(nats);
  return async (message) => {
    try {
      await client.publish(message.subject, message.data, {
        msgID: message.id,
        timeout: acknowledgeMs,
      });
    } catch (error) {
      if (!isUnclaimed(error)) throw error;
      // A stream in memory is lost with its server. The message is sent again.
      if (stream) await ensureStream(manager, subject, stream, warn);
      const how = stream ? `stream ${stream.name} is created again` : 'create it again';
      throw new Error(`no stream stores ${message.subject} any more; ${how}`, { cause: error });
    }
  };
}

/** Nobody answers for the subject: the client takes that for a server without JetStream. */
function isUnclaimed(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}
