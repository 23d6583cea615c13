import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a ZeroMQ socket without CURVE sends first (ZMTP 3.0, mechanism NULL), for hostile peers. */
export function handshake(socketType: 'PUB' | 'SUB'): Buffer {
  const greeting = Buffer.alloc(greetingLength);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, ...Buffer.from('NULL')]);
  const ready = Buffer.from(`\x05READY\x0bSocket-Type\0\0\0\x03${socketType}`, 'latin1');
  return Buffer.concat([greeting, Buffer.of(4, ready.length), ready]);
}

export const greetingLength = 64;

/** The beginning of a message that says it has so many bytes. */
export function longFrame(bytes: bigint): Buffer {
  const header = Buffer.of(2, 0, 0, 0, 0, 0, 0, 0, 0);
  header.writeBigUInt64BE(bytes, 1);
  return header;
}

/** A message of one part, at most 255 bytes. */
export function shortFrame(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0, message.length), message]);
}

/** A subscriber made of bytes, past its handshake. */
export async function rawSubscriber(endpoint: string): Promise<Socket> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.write(handshake('SUB'));
  let received = 0;
  while (received <= greetingLength + 2) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    received += bytes.length;
  }
  socket.resume();
  return socket;
}
