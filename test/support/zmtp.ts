/** What a ZeroMQ socket without CURVE says first (ZMTP 3.0, mechanism NULL), for peers that lie. */
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
