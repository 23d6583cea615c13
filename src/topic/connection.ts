import type { Subscriber } from 'zeromq';

export interface ConnectionEvents {
  /** A publisher is connected now, or none is any more. */
  readonly onConnection?: ((connected: boolean) => void) | undefined;
  /** The handshake failed: what to check. Told again only when the reason changes. */
  readonly onRefused?: ((message: string) => void) | undefined;
}

/** ZeroMQ does not try again by itself after it was refused, milliseconds. */
const retryMs = 1000;
const failed = 'handshake:error:';

/**
 * Follows the connections of a subscriber until its socket is closed, and reconnects one that was
 * refused: the publisher may restart with other keys.
 *
 * @param endpoint to connect to; undefined for a socket that binds
 */
export async function watchConnections(
  socket: Subscriber,
  endpoint: string | undefined,
  { onConnection, onRefused }: ConnectionEvents,
): Promise<void> {
  let connections = 0;
  let refusal: string | undefined;
  let brokenOff = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const reconnect = () => {
    if (socket.closed || endpoint === undefined) return;
    try {
      socket.disconnect(endpoint);
    } catch {
      // ZeroMQ has forgotten the endpoint already.
    }
    socket.connect(endpoint);
  };
  try {
    for await (const { type } of socket.events) {
      if (type === 'handshake') {
        refusal = undefined;
        brokenOff = 0;
        if (connections++ === 0) onConnection?.(true);
      } else if (type === 'disconnect' && connections > 0) {
        if (--connections === 0) onConnection?.(false);
      } else if (type.startsWith(failed)) {
        const why = problems[type.slice(failed.length)];
        clearTimeout(retry);
        if (why !== undefined) retry = setTimeout(reconnect, retryMs);
        // A publisher may also have ended in the middle of one handshake.
        else if (++brokenOff < brokenOffInRow) continue;
        const message = why ?? wrongKey;
        if (message !== refusal) onRefused?.(message);
        refusal = message;
      }
    }
  } finally {
    clearTimeout(retry);
  }
}

const problems: Readonly<Record<string, string>> = {
  auth: "the publisher's allow-list does not have this end's public key; add it there",
  protocol: 'only one end uses curve, or the other end is not ZeroMQ; set curve at both',
};
/** All that is seen of a wrong key: the publisher ends the connection, again and again. */
const wrongKey = "the handshake fails; check that server-key is the publisher's public key";
const brokenOffInRow = 3;
