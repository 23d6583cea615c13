import { afterEach, describe, expect, it } from 'vitest';
import { curveKeyPair, Publisher, Reply, Request, Subscriber } from 'zeromq';
import { z85 } from '../../src/topic/curve.ts';
import { allowOnly } from '../../src/topic/zap.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

const address = 'inproc://zeromq.zap.01';

const key = (byte: number) => Buffer.alloc(32, byte);

async function allowing(...keys: Buffer[]) {
  const list = await allowOnly(keys.map((one) => z85(one)));
  closing.push(list.close);
  return list;
}

/** What ZeroMQ itself is told when a client comes (ZAP, RFC 27). */
async function verdict(domain: string, mechanism: string, ...credentials: Buffer[]) {
  const socket = new Request({ linger: 0 });
  closing.push(() => socket.close());
  socket.connect(address);
  await socket.send(['1.0', 'id', domain, '127.0.0.1', '', mechanism, ...credentials]);
  const [version, id, status] = await socket.receive();
  expect([String(version), String(id)]).toEqual(['1.0', 'id']);
  return String(status);
}

it('admits only clients on the list of their domain', async () => {
  const [one, two] = [await allowing(key(1), key(2)), await allowing(key(3))];
  expect(await verdict(one.settings.zapDomain, 'CURVE', key(2))).toBe('200');
  expect(await verdict(one.settings.zapDomain, 'CURVE', key(3))).toBe('400');
  expect(await verdict(two.settings.zapDomain, 'CURVE', key(3))).toBe('200');
});

it('refuses other mechanisms and keys of another length', async () => {
  const { settings } = await allowing(key(1));
  expect(await verdict(settings.zapDomain, 'NULL')).toBe('400');
  expect(await verdict(settings.zapDomain, 'PLAIN', key(1), key(1))).toBe('400');
  expect(await verdict(settings.zapDomain, 'CURVE', key(1).subarray(1))).toBe('400');
});

it('admits every client of a socket without a domain', async () => {
  await allowing(key(1));
  expect(await verdict('', 'CURVE', key(9))).toBe('200');
});

it('refuses every client of a domain that was closed or is unknown', async () => {
  await allowing(key(1));
  const ended = await allowOnly([z85(key(2))]);
  ended.close();
  // Not 400: a client of a publisher that restarts would not come back.
  expect(await verdict(ended.settings.zapDomain, 'CURVE', key(2))).toBe('300');
  expect(await verdict('another', 'CURVE', key(1))).toBe('300');
});

const server = curveKeyPair();

/** The fate of a client at a publisher with these settings, as the publisher sees it. */
async function handshakeOf(client: { publicKey: string; secretKey: string }, settings: object) {
  const socket = new Publisher({
    linger: 0,
    curveServer: true,
    curveSecretKey: server.secretKey,
    ...settings,
  });
  closing.push(() => socket.close());
  const { events } = socket;
  await socket.bind('tcp://127.0.0.1:*');
  const subscriber = new Subscriber({
    linger: 0,
    curveServerKey: server.publicKey,
    curvePublicKey: client.publicKey,
    curveSecretKey: client.secretKey,
  });
  closing.push(() => subscriber.close());
  subscriber.connect(socket.lastEndpoint as string);
  for await (const { type } of events) if (type.startsWith('handshake')) return type;
  return 'closed';
}

describe('when the handler is gone', () => {
  it('a server with a list admits nobody', async () => {
    const client = curveKeyPair();
    const { settings, close } = await allowOnly([client.publicKey]);
    expect(await handshakeOf(client, settings)).toBe('handshake');
    close();
    expect(await handshakeOf(client, settings)).toMatch(/^handshake:error/);
    expect(await handshakeOf(curveKeyPair(), settings)).toMatch(/^handshake:error/);
  });
});

describe('when the address of the handler is taken', () => {
  it('a list is refused, and enforced again once the address is free', async () => {
    const other = new Reply({ linger: 0 });
    await other.bind(address);
    const [friend, stranger] = [curveKeyPair(), curveKeyPair()];
    const attempts = [allowOnly([friend.publicKey]), allowOnly([friend.publicKey])];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'SINK', message: expect.stringContaining('another ZAP handler') },
      });
    }
    await expect(allowOnly([friend.publicKey])).rejects.toThrow('another ZAP handler');
    other.close();
    const { settings, close } = await allowOnly([friend.publicKey]);
    closing.push(close);
    expect(await handshakeOf(friend, settings)).toBe('handshake');
    expect(await handshakeOf(stranger, settings)).toBe('handshake:error:auth');
  });
});

it('opens and closes a thousand times, also several lists at once', async () => {
  for (let round = 0; round < 1000; round++) {
    const lists = await Promise.all([allowOnly([]), allowOnly([z85(key(1))])]);
    if (round % 100 === 0) {
      expect(await verdict(lists[1]?.settings.zapDomain ?? '', 'CURVE', key(1))).toBe('200');
    }
    for (const list of lists) list.close();
  }
});
