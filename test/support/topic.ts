import { setTimeout as sleep } from 'node:timers/promises';
import type { Publisher } from 'zeromq';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import type { DepthEncoding } from '../../src/topic/header.ts';
import { encodeFrame, type Framing, packMessage } from '../../src/topic/message.ts';
import { freePort } from './free-port.ts';

/** An endpoint that nothing listens on. */
export async function freeEndpoint(): Promise<string> {
  return `tcp://127.0.0.1:${await freePort()}`;
}

/** A publisher on a free port, and the endpoint that it got. */
export async function publisher(): Promise<{ socket: Publisher; endpoint: string }> {
  const zmq = await import('zeromq');
  const socket = new zmq.Publisher({ linger: 0, sendHighWaterMark: 1000 });
  await socket.bind('tcp://127.0.0.1:*');
  return { socket, endpoint: socket.lastEndpoint as string };
}

/** Waits until `n` subscribers have connected and said hello. */
export async function connected(socket: Publisher, n = 1): Promise<void> {
  for (let i = 0; i < n; i++) await handshake(socket);
}

async function handshake(socket: Publisher): Promise<void> {
  for await (const event of socket.events) {
    if (event.type === 'handshake') return;
  }
}

export function message(
  frame: Frame,
  {
    topic = 'depth',
    framing = 'multipart' as Framing,
    encoding = '32FC1' as DepthEncoding,
    publishedAt = systemClock.wall(),
  } = {},
): Buffer[] {
  const { header, payload } = encodeFrame(frame, {
    encoding,
    publishedAt,
    dropped: 0,
  });
  return packMessage(framing, topic, header, payload) as Buffer[];
}

/** Sends `make(n)` over and over until `done` aborts: a subscription takes a moment to arrive. */
export async function sendUntil(
  socket: Publisher,
  done: AbortSignal,
  everyMs: number,
  make: (n: number) => Buffer[],
): Promise<number> {
  let n = 0;
  while (!done.aborted) {
    await socket.send(make(n++));
    await sleep(everyMs, undefined, { signal: done }).catch(() => {});
  }
  return n;
}
