import type { Reply } from 'zeromq';
import { DepthlineError } from '../core/errors.ts';
import { bindWhenFree } from './bind.ts';
import { z85 } from './curve.ts';

/** Where ZeroMQ asks, within the process, whether a client may connect (ZAP, RFC 27). */
const address = 'inproc://zeromq.zap.01';
const mechanism = 'CURVE';

/** Options of a server socket whose clients the handler decides on. */
export interface AccessSettings {
  readonly zapDomain: string;
  /**
   * Without it, ZeroMQ lets every client in while no handler is bound. With it, ZeroMQ lets no client
   * in then.
   */
  readonly zapEnforceDomain: true;
}

/** Public keys that may connect, by domain. */
const allowed = new Map<string, ReadonlySet<string>>();
/** The one handler of this process; open while there is a domain. */
let handler: Promise<Reply> | undefined;
let domains = 0;

/**
 * Restricts a CURVE server socket to clients with one of these public keys (Z85).
 *
 * @returns settings for the socket, and `close`, to be called after the socket was closed
 * @throws DepthlineError `SINK` if the process already has another ZAP handler
 */
export async function allowOnly(
  keys: readonly string[],
): Promise<{ settings: AccessSettings; close: () => void }> {
  const domain = `depthline-${domains++}`;
  allowed.set(domain, new Set(keys));
  handler ??= openHandler();
  const opening = handler;
  try {
    await opening;
  } catch (error) {
    if (handler === opening) handler = undefined;
    release(domain);
    throw error;
  }
  return {
    settings: { zapDomain: domain, zapEnforceDomain: true },
    close: () => release(domain),
  };
}

function release(domain: string): void {
  allowed.delete(domain);
  if (allowed.size > 0) return;
  // A bound handler would keep the process from exiting.
  void handler?.then(
    (socket) => socket.close(),
    () => {},
  );
  handler = undefined;
}

async function openHandler(): Promise<Reply> {
  const { Reply } = await import('zeromq');
  const socket = new Reply({ linger: 0 });
  try {
    // The address of a handler that was closed just now takes a moment to become free.
    await bindWhenFree(socket, address);
  } catch (error) {
    socket.close();
    throw new DepthlineError(
      'SINK',
      'the "allow" list of curve cannot be enforced: another ZAP handler runs in this process; close it, or leave "allow" out and check keys there',
      { cause: error },
    );
  }
  // It ends when the handler is closed, at times in the middle of an answer.
  void answer(socket).catch(() => {});
  return socket;
}

async function answer(socket: Reply): Promise<void> {
  for await (const [version = '', id = '', domain, , , how, key] of socket) {
    const status = verdict(String(domain), String(how), key);
    try {
      await socket.send([version, id, String(status), explanations[status], '', '']);
    } catch (error) {
      // One answer that cannot be sent must not leave the clients after it without one.
      if (socket.closed) throw error;
    }
  }
}

const explanations = {
  200: 'OK',
  300: 'this publisher is closing',
  400: 'this key is not allowed',
} as const;

/** A client that gets a 400 does not come back by itself, one that gets a 300 does. */
function verdict(domain: string, how: string, key: Buffer | undefined): keyof typeof explanations {
  // A socket without a domain has no list: it admits whoever knows its public key.
  if (domain === '') return 200;
  const keys = allowed.get(domain);
  if (!keys) return 300;
  return how === mechanism && key?.length === 32 && keys.has(z85(key)) ? 200 : 400;
}
