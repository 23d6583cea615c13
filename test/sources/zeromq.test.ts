import { firstValueFrom, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { zeromq } from '../../src/sources/zeromq.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

let context: TestContext;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: object) {
  context = testContext();
  closing.push(context.close);
  return zeromq.create(zeromq.options.parse(options), context);
}

async function topic(make: (n: number) => Buffer[], everyMs = 2) {
  const { socket, endpoint } = await publisher();
  const done = new AbortController();
  const sending = sendUntil(socket, done.signal, everyMs, make);
  closing.push(async () => {
    done.abort();
    await sending;
    socket.close();
  });
  return endpoint;
}

describe('zeromq source', () => {
  it('gives frames of the topic, and counts what the publisher did not send', async () => {
    const endpoint = await topic((n) => message(depthFrame(4, 3, n * 3)));
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(5), toArray()),
    );
    const seqs = frames.map((frame) => frame.seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(5);
    expect(context.drops.get('at capture')).toBeGreaterThanOrEqual(8);
    expect(Object.hasOwn(frames[0] as object, 'header')).toBe(false);
  });

  it('keeps seq rising when the publisher is started again', async () => {
    const endpoint = await topic((n) => message(depthFrame(4, 3, n % 7)));
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(20), toArray()),
    );
    for (const [i, frame] of frames.entries()) {
      if (i > 0) expect(frame.seq).toBeGreaterThan((frames[i - 1] as typeof frame).seq);
    }
  });

  it('does not count a leap that no loss explains', async () => {
    const endpoint = await topic((n) => message(depthFrame(4, 3, n + (n % 2) * 2 ** 50)));
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(20), toArray()),
    );
    expect(frames.at(-1)?.seq).toBeLessThan(2 ** 40);
    expect(context.drops.get('at capture') ?? 0).toBeLessThan(2 ** 40);
  });

  it('hands over nothing while the gate is closed, and then the newest', async () => {
    const endpoint = await topic((n) => message(depthFrame(4, 3, n)));
    const source = await open({ connect: endpoint });
    context.gate.hold('a slow sink');
    const seen: number[] = [];
    const subscription = source.subscribe((frame) => seen.push(frame.seq));
    closing.push(() => subscription.unsubscribe());
    // Another reader proves that frames are passing meanwhile.
    await firstValueFrom(
      (await zeromq.create(zeromq.options.parse({ connect: endpoint }), testContext())).pipe(
        take(30),
        toArray(),
      ),
    );
    expect(seen).toEqual([]);
    context.gate.release('a slow sink');
    await expect.poll(() => seen.length).toBeGreaterThan(2);
    expect(context.drops.get('at capture')).toBeGreaterThan(0);
  });

  it('says that a topic carries another kind than expected', async () => {
    const endpoint = await topic((n) => message(imageFrame(4, 3, n), { topic: 'image' }));
    const source = await open({ connect: endpoint, topic: 'image' });
    await expect(firstValueFrom(source)).rejects.toThrow(
      'topic "image" carries image frames; set kind: image, or choose another topic',
    );
  });

  it('ends with an error when the publisher stays silent longer than allowed', async () => {
    const { socket, endpoint } = await publisher();
    closing.push(() => socket.close());
    const source = await open({ connect: endpoint, 'silent-after': '50ms' });
    await expect(firstValueFrom(source)).rejects.toThrow(
      /nothing came from .* for 50 ms; is the publisher running\?/,
    );
  });
});
