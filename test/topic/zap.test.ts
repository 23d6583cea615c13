import { afterEach, expect, it } from 'vitest';
import { Request } from 'zeromq';
import { z85 } from '../../src/topic/curve.ts';
import { allowOnly } from '../../src/topic/zap.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

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
  socket.connect('inproc://zeromq.zap.01');
  await socket.send(['1.0', 'id', domain, '127.0.0.1', '', mechanism, ...credentials]);
  const [version, id, status] = await socket.receive();
  expect([String(version), String(id)]).toEqual(['1.0', 'id']);
  return String(status);
}

it('lets in those on the list of their domain alone', async () => {
  const [one, two] = [await allowing(key(1), key(2)), await allowing(key(3))];
  expect(await verdict(one.domain, 'CURVE', key(2))).toBe('200');
  expect(await verdict(one.domain, 'CURVE', key(3))).toBe('400');
  expect(await verdict(two.domain, 'CURVE', key(3))).toBe('200');
});

it('takes no other mechanism, and no key of another length', async () => {
  const { domain } = await allowing(key(1));
  expect(await verdict(domain, 'NULL')).toBe('400');
  expect(await verdict(domain, 'PLAIN', key(1), key(1))).toBe('400');
  expect(await verdict(domain, 'CURVE', key(1).subarray(1))).toBe('400');
});

it('leaves sockets without a domain alone', async () => {
  await allowing(key(1));
  expect(await verdict('', 'CURVE', key(9))).toBe('200');
});

it('lets nobody into a domain that has ended, or never was', async () => {
  await allowing(key(1));
  const ended = await allowOnly([z85(key(2))]);
  ended.close();
  expect(await verdict(ended.domain, 'CURVE', key(2))).toBe('400');
  expect(await verdict('another', 'CURVE', key(1))).toBe('400');
});
