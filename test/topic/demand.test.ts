import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Subscriptions } from '../../src/topic/demand.ts';

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
