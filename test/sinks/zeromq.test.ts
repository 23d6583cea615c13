import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/core/component.ts';
import { zeromq } from '../../src/sinks/zeromq.ts';
import { decodeFrame, unpackMessage } from '../../src/topic/message.ts';
import { type SubscribeOptions, subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { startProcess, workplace } from '../support/cli.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { freeEndpoint } from '../support/topic.ts';
import { rawSubscriber, shortFrame } from '../support/zmtp.ts';

/** More in the long form: RESTARTS=1000 npx vitest run test/sinks/zeromq.test.ts */
const restarts = Number(process.env.RESTARTS ?? 200);

let context: TestContext;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: object): Promise<Sink> {
  context = testContext();
  closing.push(context.close);
  return (await zeromq.create(zeromq.options.parse(options), context)) as Sink;
}

/** Writes frames until the subscriber has `n`, since a subscription takes a moment to arrive. */
async function receive(
  sink: Sink,
  endpoint: string,
  n: number,
  options: SubscribeOptions = {},
  make = (seq: number) => depthFrame(8, 6, seq) as Parameters<Sink['write']>[0],
) {
  const stop = new AbortController();
  const received: Awaited<ReturnType<typeof next>>[] = [];
  const next = async () =>
    (await frames.next())
      .value as never as import('../../src/topic/subscribe-depth.ts').ReceivedFrame;
  const frames = subscribeDepth(endpoint, { signal: stop.signal, ...options })[
    Symbol.asyncIterator
  ]();
  const writing = (async () => {
    for (let seq = 0; !stop.signal.aborted; seq++) {
      await sink.write(make(seq));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  for (let i = 0; i < n; i++) received.push(await next());
  stop.abort();
  await writing;
  return received;
}

describe('zeromq sink', () => {
  it('publishes self-describing depth', async () => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, framing: 'single' });
    const [frame] = await receive(sink, endpoint, 1);
    expect(frame).toMatchObject({ kind: 'depth', width: 8, height: 6, source: 'test' });
    expect(frame?.header).toMatchObject({
      encoding: '32FC1',
      unit: 'm',
      shape: [6, 8],
      dropped: 0,
    });
    expect(context.report()).toMatchObject({ endpoint });
  });

  it('publishes compressed depth, which a subscriber reads to the millimetre', async () => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, encoding: '16UC1-deflate' });
    const [frame] = await receive(sink, endpoint, 1, {}, (n) => depthFrame(64, 48, n, () => 1.234));
    expect(frame?.header).toMatchObject({ encoding: '16UC1-deflate', dtype: '<u2' });
    expect((frame as ReturnType<typeof depthFrame>).data[5]).toBeCloseTo(1.234, 6);
  });

  it('publishes the picture on a topic of its own', async () => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, 'image-topic': 'image' });
    const make = (seq: number) => ({ ...depthFrame(8, 6, seq), image: imageFrame(4, 3, seq) });
    const [image] = await receive(sink, endpoint, 1, { topic: 'image' }, make);
    expect(image).toMatchObject({ kind: 'image', width: 4, height: 3 });
  });

  it('states in each message how many frames of the source were dropped before it', async () => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint });
    const frames = await receive(sink, endpoint, 3, {}, (n) => depthFrame(2, 2, n * 5));
    expect(frames.slice(1).map((frame) => frame.header.dropped)).toEqual([4, 4]);
  });

  it('pushes losslessly to a reader that binds', async () => {
    const { Pull } = await import('zeromq');
    const pull = new Pull();
    closing.push(() => pull.close());
    await pull.bind('tcp://127.0.0.1:*');
    const sink = await open({ connect: pull.lastEndpoint, type: 'push', encoding: '16UC1' });
    for (let seq = 0; seq < 20; seq++) {
      await sink.write(depthFrame(4, 4, seq, () => 1.234));
      const frame = decodeFrame(unpackMessage((await pull.receive()) as Buffer[]));
      expect(frame.seq).toBe(seq);
      expect((frame as ReturnType<typeof depthFrame>).data[0]).toBeCloseTo(1.234, 6);
    }
  });

  it('that pushes without a reader does not keep a run from stopping', async () => {
    const sink = await open({ bind: await freeEndpoint(), type: 'push', 'high-water-mark': 1 });
    const stuck = Promise.resolve(sink.write(depthFrame())).then(
      () => 'sent',
      () => 'given up',
    );
    context.abort();
    await context.close();
    expect(await stuck).toBe('given up');
  });

  it('says that a port is in use, and what to do', async () => {
    const endpoint = await freeEndpoint();
    await open({ bind: endpoint });
    await expect(open({ bind: endpoint })).rejects.toThrow(
      `${endpoint} is in use by another process; stop it or choose another port`,
    );
  });

  it('takes over the file of a publisher that died, and no other file', async () => {
    const path = join(workplace(), 'depth');
    const bind = `ipc://${path}`;
    // A server that is killed leaves its socket file behind.
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`;
    await startProcess(process.execPath, ['-e', script, path]).finished;
    expect(existsSync(path)).toBe(true);
    const sink = await open({ bind });
    expect(await receive(sink, bind, 3)).toHaveLength(3);
    await context.close();
    rmSync(path);

    for (const make of [
      () => writeFileSync(path, 'notes'),
      () => mkdirSync(path),
      () => symlinkSync('target', path),
    ]) {
      make();
      await expect(open({ bind })).rejects.toThrow(
        `${bind} cannot be bound: a file that is not a socket is there; remove it or choose another path`,
      );
      expect(lstatSync(path).isSocket()).toBe(false);
      rmSync(path, { recursive: true });
    }
  });

  it('leaves a publisher on the same ipc path alone', async () => {
    const bind = `ipc://${join(workplace(), 'depth')}`;
    const first = await open({ bind });
    for (const type of ['pub', 'push']) {
      await expect(open({ bind, type })).rejects.toThrow(
        `${bind} is in use by another process; stop it or choose another path`,
      );
    }
    expect(await receive(first, bind, 3)).toHaveLength(3);
  });

  it.each([
    ['a port', freeEndpoint],
    ['a path', async () => `ipc://${join(workplace(), 'depth')}`],
    ['a name in the process', async () => 'inproc://depth'],
  ])('opens and closes %s many times, with an allow-list', async (_, endpoint) => {
    const bind = await endpoint();
    const { curveKeyPair } = await import('zeromq');
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const curve = { 'secret-key': server.secretKey, allow: [client.publicKey] };
    for (let round = 0; round < restarts; round++) {
      await open({ bind, curve });
      await context.close();
    }
    const sink = await open({ bind, curve });
    const { publicKey, secretKey } = client;
    const keys = { curve: { serverKey: server.publicKey, publicKey, secretKey } };
    expect(await receive(sink, bind, 3, keys)).toHaveLength(3);
  });

  it('refuses what is not an endpoint', () => {
    const { error } = zeromq.options.safeParse({ bind: 'localhost:5556' });
    expect(error?.issues[0]?.message).toBe(
      '"localhost:5556" is not a ZeroMQ endpoint; write tcp://127.0.0.1:5556 or ipc:///path',
    );
  });

  it('refuses a topic that readers of one part could not find', () => {
    for (const key of ['topic', 'image-topic']) {
      const { error } = zeromq.options.safeParse({ bind: 'tcp://127.0.0.1:1', [key]: 'a\0b' });
      expect(error?.issues[0]?.message).toBe('must not contain a zero byte');
    }
  });

  it('takes either bind or connect', () => {
    const both = zeromq.options.safeParse({ bind: 'tcp://a:1', connect: 'tcp://a:1' });
    const neither = zeromq.options.safeParse({});
    for (const result of [both, neither]) {
      expect(result.error?.issues[0]?.message).toBe(
        'needs either "bind" or "connect", and not both',
      );
    }
  });

  it('warns when a topic is open to the network without encryption', async () => {
    const port = (await freeEndpoint()).split(':').at(-1);
    await open({ bind: `tcp://*:${port}` });
    expect(context.logs[0]?.message).toMatch(/is open to the network without encryption/);
  });
});

describe('zeromq sink with demand: subscribers', () => {
  it('wants frames while there is a subscriber to its topic', async () => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, topic: 'depth', demand: 'subscribers' });
    const changes: boolean[] = [];
    sink.wanted?.subscribe((wanted) => changes.push(wanted));
    const { Subscriber } = await import('zeromq');
    const other = new Subscriber({ linger: 0 });
    other.connect(endpoint);
    other.subscribe('another');
    // A reader of another topic, which connects first, does not count.
    const frames = await receive(sink, endpoint, 20);
    expect(frames).toHaveLength(20);
    await expect.poll(() => changes).toEqual([false, true, false]);
    other.close();
  });

  it.each([
    ['a message that is no subscription', Buffer.from('?depth')],
    ['an unsubscription from a peer that never subscribed', Buffer.from('\0depth')],
    ['an unsubscription from everything', Buffer.from('\0')],
    ['an empty message', Buffer.alloc(0)],
  ])('goes on after %s', async (_, attack) => {
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, demand: 'subscribers' });
    const changes: boolean[] = [];
    sink.wanted?.subscribe((wanted) => changes.push(wanted));
    const stop = new AbortController();
    let received = 0;
    const reading = (async () => {
      for await (const _ of subscribeDepth(endpoint, { signal: stop.signal })) received++;
    })();
    await expect.poll(() => changes).toEqual([false, true]);
    const peer = await rawSubscriber(endpoint);
    for (let i = 0; i < 3; i++) peer.write(shortFrame(attack));
    // The publisher closes its end when it has read everything.
    await once(peer.end(), 'close');
    for (let seq = 0; received < 30; seq++) {
      await sink.write(depthFrame(2, 2, seq));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(changes).toEqual([false, true]);
    stop.abort();
    await reading;
    await expect.poll(() => changes).toEqual([false, true, false]);
  });

  it('is refused for push', () => {
    const options = { bind: 'tcp://127.0.0.1:*', type: 'push', demand: 'subscribers' };
    expect(() => zeromq.options.parse(options)).toThrow(/only.*pub.*knows its subscribers/);
  });
});

describe('zeromq sink with CURVE', () => {
  it('can be read with the right keys, and not without keys or with others', async () => {
    const { curveKeyPair } = await import('zeromq');
    const [server, client, other] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
    const endpoint = await freeEndpoint();
    const sink = await open({ bind: endpoint, curve: { 'secret-key': server.secretKey } });
    const { publicKey, secretKey } = client;
    let refused = 0;
    const stop = new AbortController();
    for (const options of [{}, { curve: { serverKey: other.publicKey, publicKey, secretKey } }]) {
      const outside = subscribeDepth(endpoint, { ...options, signal: stop.signal });
      void outside.next().then(({ done }) => {
        if (done) refused++;
      });
    }
    const curve = { serverKey: server.publicKey, publicKey, secretKey };
    const frames = await receive(sink, endpoint, 30, { curve });
    expect(frames).toHaveLength(30);
    // Both others were connected throughout and received nothing.
    stop.abort();
    await expect.poll(() => refused).toBe(2);
  });

  it('with an allow-list can only be read by clients on it', async () => {
    const { curveKeyPair } = await import('zeromq');
    const [server, friend, stranger] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
    const endpoint = await freeEndpoint();
    const secret = { 'secret-key': server.secretKey };
    const sink = await open({ bind: endpoint, curve: { ...secret, allow: [friend.publicKey] } });
    const keys = ({ publicKey, secretKey }: typeof friend) => ({
      curve: { serverKey: server.publicKey, publicKey, secretKey },
    });
    let refused = 0;
    const stop = new AbortController();
    const outside = subscribeDepth(endpoint, { ...keys(stranger), signal: stop.signal });
    void outside.next().then(({ done }) => {
      if (done) refused++;
    });
    expect(await receive(sink, endpoint, 30, keys(friend))).toHaveLength(30);
    stop.abort();
    await expect.poll(() => refused).toBe(1);
    // Another server in this process that keeps no list is not touched by this one's.
    const open2 = await freeEndpoint();
    const other = await open({ bind: open2, curve: secret });
    expect(await receive(other, open2, 3, keys(stranger))).toHaveLength(3);
  });
});
