import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Publisher, Subscriber } from 'zeromq';
import { DepthlineError } from '../../src/core/errors.ts';
import { lockName } from '../../src/core/name-lock.ts';
import { bind } from '../../src/topic/bind.ts';
import { workplace } from '../support/cli.ts';

const closing: { close(): void }[] = [];
afterEach(() => {
  for (const socket of closing.splice(0)) socket.close();
});

function publisher(): Publisher {
  const socket = new Publisher({ linger: 0 });
  closing.push(socket);
  return socket;
}

describe('publishers that bind one ipc path at the same moment', () => {
  it('are refused but for one, which keeps the path', async () => {
    const endpoint = `ipc://${join(workplace(), 'depth')}`;
    const sockets = Array.from({ length: 6 }, publisher);
    const outcomes = await Promise.allSettled(
      sockets.map((socket) => bind(socket, endpoint, 'SINK')),
    );
    const refused = outcomes.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(refused).toHaveLength(5);
    for (const error of refused) {
      expect(error).toBeInstanceOf(DepthlineError);
      expect(error.message).toBe(
        `${endpoint} is in use by another process; stop it or choose another path`,
      );
    }
    const owner = sockets[outcomes.findIndex(({ status }) => status === 'fulfilled')] as Publisher;
    const subscriber = new Subscriber({ linger: 0, receiveTimeout: 20_000 });
    closing.push(subscriber);
    const joined = new Promise((resolve) => owner.events.on('handshake', resolve));
    subscriber.subscribe('');
    subscriber.connect(endpoint);
    await joined;
    // A subscription arrives after the handshake; sending goes on until one message has come.
    let received = false;
    const sending = (async () => {
      while (!received) {
        await owner.send('frame');
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const [message] = await subscriber.receive();
    received = true;
    await sending;
    expect(String(message)).toBe('frame');
  });

  it('wait for each other, also if the first one fails', async () => {
    const folder = workplace();
    const release = await lockName(folder, 'bind depth');
    const second = bind(publisher(), `ipc://${join(folder, 'depth')}`, 'SINK');
    await release?.();
    await expect(second).resolves.toBeUndefined();
  });

  it('do not bind while another does not come to an end', async () => {
    const folder = workplace();
    const release = await lockName(folder, 'bind depth');
    await expect(bind(publisher(), `ipc://${join(folder, 'depth')}`, 'SINK')).rejects.toThrow(
      'is in use by another process',
    );
    await release?.();
  });
});

it('says that the folder of a path does not exist', async () => {
  const endpoint = `ipc://${workplace()}/no/depth`;
  await expect(bind(publisher(), endpoint, 'SINK')).rejects.toThrow(
    `${endpoint} cannot be bound: its directory does not exist; create it`,
  );
});
