import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { curveKeyPair, Publisher } from 'zeromq';
import { bindWhenFree } from '../../src/topic/bind.ts';
import { type SubscribeOptions, subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { allowOnly } from '../../src/topic/zap.ts';
import { depthFrame } from '../support/frames.ts';
import { connected, freeEndpoint, message, sendUntil } from '../support/topic.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const [server, client, other] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
const keys = (serverKey: string) => ({
  curve: { serverKey, publicKey: client.publicKey, secretKey: client.secretKey },
});
const curveServer = { curveServer: true, curveSecretKey: server.secretKey };

/** A publisher that sends until it is closed. */
async function publish(endpoint: string, settings: object = {}): Promise<() => Promise<void>> {
  const socket = new Publisher({ linger: 0, ...settings });
  await bindWhenFree(socket, endpoint);
  const done = new AbortController();
  const sending = sendUntil(socket, done.signal, 5, (n) => message(depthFrame(2, 2, n)));
  const close = async () => {
    done.abort();
    await sending;
    socket.close();
  };
  closing.push(close);
  return close;
}

/** Subscribes until the test ends; collects what it is told. */
function subscribe(endpoint: string, options: SubscribeOptions = {}) {
  const stop = new AbortController();
  const told: unknown[] = [];
  let frames = 0;
  const reading = (async () => {
    const subscription = subscribeDepth(endpoint, {
      signal: stop.signal,
      onConnection: (is) => told.push(is),
      onRefused: (why) => told.push(why),
      ...options,
    });
    for await (const _ of subscription) frames++;
  })();
  closing.push(async () => {
    stop.abort();
    await reading;
  });
  return { told, frames: () => frames };
}

it('reports when it is connected, and when no longer', async () => {
  const endpoint = await freeEndpoint();
  const { told } = subscribe(endpoint);
  for (const expected of [
    [true, false],
    [true, false, true, false],
  ]) {
    const close = await publish(endpoint);
    await expect.poll(() => told.length).toBe(expected.length - 1);
    await close();
    await expect.poll(() => told).toEqual(expected);
  }
});

describe('a publisher that refuses', () => {
  it.each([
    ['encrypts', curveServer, {}, /only one end uses curve/],
    ['does not encrypt', {}, keys(server.publicKey), /only one end uses curve/],
    [
      'has another key',
      curveServer,
      keys(other.publicKey),
      /server-key is the publisher's public key/,
    ],
  ])(
    '%s: reported once, and connected to when it has changed',
    async (_, settings, options, why) => {
      const endpoint = await freeEndpoint();
      const close = await publish(endpoint, settings);
      const { told, frames } = subscribe(endpoint, options);
      await expect.poll(() => told).toEqual([expect.stringMatching(why)]);
      await close();
      const right = 'curve' in options ? curveServer : {};
      const secret =
        'curve' in options && options.curve.serverKey === other.publicKey ? other : server;
      await publish(endpoint, {
        ...right,
        ...('curve' in options && { curveSecretKey: secret.secretKey }),
      });
      await expect.poll(frames).toBeGreaterThan(0);
      expect(told).toEqual([expect.stringMatching(why), true]);
    },
  );

  it('because the key is not on its list: reported once, and connected to when it is', async () => {
    const endpoint = await freeEndpoint();
    const list = await allowOnly([other.publicKey]);
    closing.push(list.close);
    const close = await publish(endpoint, { ...curveServer, ...list.settings });
    const { told, frames } = subscribe(endpoint, keys(server.publicKey));
    await expect.poll(() => told).toEqual([expect.stringMatching(/allow-list/)]);
    await close();
    const longer = await allowOnly([other.publicKey, client.publicKey]);
    closing.push(longer.close);
    await publish(endpoint, { ...curveServer, ...longer.settings });
    await expect.poll(frames).toBeGreaterThan(0);
  });

  it('while it closes is connected to when it returns', async () => {
    const endpoint = await freeEndpoint();
    const keep = await allowOnly([]);
    closing.push(keep.close);
    const list = await allowOnly([client.publicKey]);
    list.close();
    const old = new Publisher({ linger: 0, ...curveServer, ...list.settings });
    const { events } = old;
    await old.bind(endpoint);
    const { told, frames } = subscribe(endpoint, keys(server.publicKey));
    for await (const { type } of events) if (type === 'accept') break;
    old.close();
    const again = await allowOnly([client.publicKey]);
    closing.push(again.close);
    await publish(endpoint, { ...curveServer, ...again.settings });
    await expect.poll(frames).toBeGreaterThan(0);
    expect(told).toEqual([true]);
  });
});

it('enables TCP keep-alive, which detects a machine that is gone', async () => {
  const socket = new Publisher({ linger: 0 });
  closing.push(() => socket.close());
  await socket.bind('tcp://127.0.0.1:*');
  const endpoint = socket.lastEndpoint as string;
  subscribe(endpoint);
  await connected(socket);
  const port = Number(new URL(endpoint).port).toString(16).toUpperCase().padStart(4, '0');
  const timers = () =>
    readFileSync('/proc/self/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === '01')
      .map((columns) => columns[5]?.slice(0, 2));
  // 02: the keep-alive timer runs. While something is to be sent it is another one.
  await expect.poll(timers).toEqual(['02']);
});
