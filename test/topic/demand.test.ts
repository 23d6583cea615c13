import { firstValueFrom, skip, timeout } from 'rxjs';
import { expect, it } from 'vitest';
import { Subscriber, XPublisher } from 'zeromq';
import { demand, Subscriptions } from '../../src/topic/demand.ts';
import { fc } from '../support/property.ts';

/** What ZeroMQ's XPUB socket keeps and reports, with peers that may send what they like. */
class Publisher {
  readonly holders = new Map<string, Set<string>>();
  readonly pending: Buffer[] = [];

  send(peer: string, kind: 0 | 1, prefix: string): void {
    const held = this.holders.get(prefix) ?? new Set();
    this.holders.set(prefix, held);
    const before = held.size;
    if (kind === 1) held.add(peer);
    const removed = kind === 0 && held.delete(peer);
    // ZeroMQ also reports an unsubscription that has removed nothing.
    if ((kind === 1 && before === 0) || (kind === 0 && (held.size === 0 || !removed))) {
      this.pending.push(Buffer.concat([Buffer.of(kind), Buffer.from(prefix)]));
    }
  }
}

function tracked(...topics: string[]) {
  const publisher = new Publisher();
  const subscriptions = new Subscriptions(topics, (prefix, mark) => {
    const text = Buffer.from(prefix, 'latin1').toString();
    publisher.pending.push(Buffer.from(mark));
    publisher.send('probe', 1, text);
    publisher.send('probe', 0, text);
    publisher.pending.push(Buffer.from(mark));
  });
  const readAll = () => {
    for (let next = publisher.pending.shift(); next; next = publisher.pending.shift()) {
      subscriptions.add(next);
    }
  };
  return { publisher, subscriptions, readAll };
}

it('counts whoever subscribes to the topic, a beginning of it, or everything', () => {
  for (const prefix of ['tiefe-ü', 'tie', '']) {
    const { publisher, subscriptions, readAll } = tracked('tiefe-ü', 'image');
    publisher.send('reader', 1, prefix);
    readAll();
    expect(subscriptions.any).toBe(true);
    publisher.send('reader', 0, prefix);
    readAll();
    expect(subscriptions.any).toBe(false);
  }
});

it('does not count readers of other topics', () => {
  const { publisher, subscriptions, readAll } = tracked('depth');
  for (const prefix of ['depth2', 'image', 'Depth']) publisher.send('reader', 1, prefix);
  readAll();
  expect(subscriptions.any).toBe(false);
});

it('ignores messages that are no subscription', () => {
  const { subscriptions } = tracked('depth');
  subscriptions.add(Buffer.from('\x01depth'));
  for (const text of ['?depth', '', '\x02depth', '\x00', '\xff']) {
    subscriptions.add(Buffer.from(text, 'latin1'));
  }
  expect(subscriptions.any).toBe(true);
});

it('agrees with ZeroMQ in the end, whatever peers send and however late it is read', () => {
  const step = fc.record({
    peer: fc.constantFrom('a', 'b', 'evil'),
    kind: fc.constantFrom(0 as const, 1 as const),
    prefix: fc.constantFrom('depth', 'dep', '', 'other'),
    read: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { publisher, subscriptions, readAll } = tracked('depth');
      for (const { peer, kind, prefix, read } of steps) {
        publisher.send(peer, kind, prefix);
        if (read) readAll();
      }
      readAll();
      const held = ['depth', 'dep', ''].some((prefix) => publisher.holders.get(prefix)?.size);
      expect(subscriptions.any).toBe(held);
    }),
    { numRuns: 5000 },
  );
});

it('asks again when others come and go while it asks, and knows its own marks alone', () => {
  const asked: { prefix: string; mark: string }[] = [];
  const subscriptions = new Subscriptions(['depth'], (prefix, mark) =>
    asked.push({ prefix, mark }),
  );
  const change = (kind: 0 | 1, prefix = 'depth') =>
    subscriptions.add(Buffer.concat([Buffer.of(kind), Buffer.from(prefix)]));
  const mark = () => subscriptions.add(Buffer.from(asked.at(-1)?.mark ?? ''));
  change(0);
  expect(asked).toEqual([]);
  change(1);
  change(0);
  expect(asked).toMatchObject([{ prefix: 'depth', mark: expect.stringMatching(/^\?[\w-]{36}$/) }]);
  // Nobody else holds it: both changes of the probe are reported, and one that came before them.
  mark();
  subscriptions.add(Buffer.from('?'));
  change(0);
  change(1);
  change(0);
  mark();
  expect(subscriptions.any).toBe(false);
  expect(asked).toHaveLength(1);
  // Another subscribes while it asks: only the unsubscription before is reported.
  change(1);
  change(0);
  mark();
  change(1);
  mark();
  expect(asked).toHaveLength(3);
  expect(subscriptions.any).toBe(true);
  // The same, with one that leaves: asks until nothing changes.
  mark();
  change(1);
  change(0);
  change(1);
  mark();
  expect(asked).toHaveLength(4);
  mark();
  mark();
  expect(asked).toHaveLength(4);
  expect(subscriptions.any).toBe(true);
  expect(new Set(asked.map((one) => one.mark)).size).toBe(4);
});

it('asks about one prefix at a time', () => {
  const asked: string[] = [];
  let mark = '';
  const subscriptions = new Subscriptions(['depth'], (prefix, own) => {
    asked.push(prefix);
    mark = own;
  });
  const change = (kind: 0 | 1, prefix: string) =>
    subscriptions.add(Buffer.concat([Buffer.of(kind), Buffer.from(prefix)]));
  for (const prefix of ['depth', 'de', 'd']) change(1, prefix);
  for (const prefix of ['depth', 'de']) change(0, prefix);
  expect(asked).toEqual(['depth']);
  // Another prefix changes between the marks; it is no answer.
  subscriptions.add(Buffer.from(mark));
  change(1, 'd');
  change(1, 'depth');
  change(0, 'depth');
  subscriptions.add(Buffer.from(mark));
  expect(asked).toEqual(['depth', 'de']);
  subscriptions.add(Buffer.from(mark));
  change(1, 'de');
  change(0, 'de');
  subscriptions.add(Buffer.from(mark));
  expect([asked.length, subscriptions.any]).toEqual([2, true]);
  change(0, 'd');
  subscriptions.add(Buffer.from(mark));
  change(1, 'd');
  change(0, 'd');
  subscriptions.add(Buffer.from(mark));
  expect([asked.length, subscriptions.any]).toEqual([3, false]);
});

it('follows subscribers of a real socket, one topic beside another', async () => {
  const publishers = [new XPublisher({ linger: 0 }), new XPublisher({ linger: 0 })];
  const subscriber = new Subscriber({ linger: 0 });
  const [publisher] = publishers as [XPublisher];
  try {
    // Two at once: each has an address of its own.
    const [first, second] = await Promise.all(
      publishers.map((socket) => demand(socket, ['tiefe-ü'])),
    );
    const { wanted, close } = first as Awaited<ReturnType<typeof demand>>;
    const changes: boolean[] = [];
    const next = () => firstValueFrom(wanted.pipe(skip(1), timeout(20_000)));
    wanted.subscribe((value) => changes.push(value));
    expect(changes).toEqual([false]);
    await publisher.bind('inproc://demand-test');
    subscriber.connect('inproc://demand-test');
    for (const value of [true, false, true]) {
      const change = next();
      if (value) subscriber.subscribe('tiefe-ü');
      else subscriber.unsubscribe('tiefe-ü');
      expect(await change).toBe(value);
    }
    expect(changes).toEqual([false, true, false, true]);
    close();
    second?.close();
  } finally {
    for (const socket of [...publishers, subscriber]) socket.close();
  }
});
