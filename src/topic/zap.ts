import type { Reply } from 'zeromq';
import { z85 } from './curve.ts';

// ZeroMQ asks for leave to let a client in at this address, within the process (ZAP, RFC 27).
const address = 'inproc://zeromq.zap.01';
const mechanism = 'CURVE';

/** Public keys that may connect, by the domain of a socket; a socket without one lets all in. */
const allowed = new Map<string, ReadonlySet<string>>();
let handler: Reply | undefined;
let domains = 0;

/**
 * A domain (`zapDomain` of a socket) whose clients must have one of these public keys, in Z85.
 *
 * @returns the domain, and what ends it; to be called after its socket was closed
 */
export async function allowOnly(
  keys: readonly string[],
): Promise<{ domain: string; close: () => void }> {
  const { Reply } = await import('zeromq');
  const domain = `depthline-${domains++}`;
  allowed.set(domain, new Set(keys));
  if (!handler) {
    handler = new Reply({ linger: 0 });
    await handler.bind(address);
    // It ends when the handler is closed, at times in the middle of an answer.
    void answer(handler).catch(() => {});
  }
  return {
    domain,
    close() {
      allowed.delete(domain);
      if (allowed.size > 0) return;
      handler?.close();
      handler = undefined;
    },
  };
}

async function answer(socket: Reply): Promise<void> {
  for await (const [version = '', id = '', domain, , , how, key] of socket) {
    const name = String(domain);
    const known =
      String(how) === mechanism && key?.length === 32 && allowed.get(name)?.has(z85(key));
    const verdict = name === '' || known ? ['200', 'OK'] : ['400', 'this key is not allowed'];
    await socket.send([version, id, ...verdict, '', '']);
  }
}
