import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to connections and to whoever asks for any port, so that nobody gets one of
 * them by chance before the test binds it. Each worker of vitest has ports of its own.
 */
const first = 20_000;
const ofEachWorker = 400;
const workers = 30;

const worker = Number(process.env.VITEST_POOL_ID ?? 0) % workers;
// Another start for each file: a port that was used a moment ago may still be waiting.
let next = process.pid % ofEachWorker;

/** A port of 127.0.0.1 that nobody listens on, and that nobody else is given. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < ofEachWorker; tries++) {
    const port = first + worker * ofEachWorker + next;
    next = (next + 1) % ofEachWorker;
    if (await canListen(port)) return port;
  }
  throw new Error('no port is free');
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
