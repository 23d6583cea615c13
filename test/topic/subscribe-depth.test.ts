import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { bindWhenFree } from '../../src/topic/bind.ts';
import { type Framing, framings } from '../../src/topic/message.ts';
import { type SubscribeOptions, subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A publisher that sends frame n each `everyMs`, captured now, until the test ends. */
async function topic(framing: Framing, everyMs: number) {
  const { socket, endpoint } = await publisher();
  const done = new AbortController();
  let newest = 0;
  const sending = sendUntil(socket, done.signal, everyMs, (n) => {
    newest = n;
    return message({ ...depthFrame(64, 48, n), capturedAt: systemClock.wall() }, { framing });
  });
  closing.push(async () => {
    done.abort();
    await sending;
    socket.close();
  });
  return { endpoint, socket, newest: () => newest };
}

async function take(endpoint: string, n: number, options: SubscribeOptions = {}) {
  const frames = [];
  for await (const frame of subscribeDepth(endpoint, options)) {
    frames.push(frame);
    if (frames.length === n) break;
  }
  return frames;
}

describe.each(framings)('subscribeDepth to a %s topic', (framing) => {
  it('gives every frame in order', async () => {
    const { endpoint } = await topic(framing, 2);
    const frames = await take(endpoint, 20);
    const first = frames[0]?.seq as number;
    expect(frames.map((frame) => frame.seq)).toEqual(frames.map((_, i) => first + i));
    expect(frames[0]).toMatchObject({ kind: 'depth', width: 64, height: 48 });
    expect(frames[0]?.header.encoding).toBe('32FC1');
  });

  it('with latest gives a slow reader the newest frame, and none of those before', async () => {
    const { endpoint, newest } = await topic(framing, 40);
    const seqs: number[] = [];
    for await (const { seq } of subscribeDepth(endpoint, { latest: true })) {
      seqs.push(seq);
      if (seqs.length === 12) break;
      // A reader at a quarter of the rate.
      const next = newest() + 4;
      await until(() => newest() >= next);
    }
    const steps = seqs.slice(1).map((seq, i) => seq - (seqs[i] as number));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    // One that reads all of them goes on by one.
    expect(steps.reduce((sum, step) => sum + step) / steps.length).toBeGreaterThan(2);
  });
});

describe('subscribeDepth', () => {
  it('yields its topic only, although ZeroMQ matches prefixes', async () => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 2, (n) =>
      n % 2 ? message(depthFrame(4, 4, n), { topic: 'depth2' }) : message(imageFrame(4, 4, n)),
    );
    const frames = await take(endpoint, 6);
    done.abort();
    await sending;
    socket.close();
    expect(frames.every((frame) => frame.kind === 'image')).toBe(true);
  });

  it('reports corrupt messages and continues', async () => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 2, (n) =>
      n % 2
        ? [Buffer.from('depth'), Buffer.from('{}'), Buffer.from('x')]
        : message(depthFrame(4, 4, n)),
    );
    const corrupt: string[] = [];
    await take(endpoint, 4, { onCorrupt: (error) => corrupt.push(error.message) });
    done.abort();
    await sending;
    socket.close();
    expect(corrupt[0]).toMatch(/^not a Depthline message: version undefined/);
  });

  it('ends when its signal aborts, also while nothing is received', async () => {
    const { socket, endpoint } = await publisher();
    closing.push(() => socket.close());
    const stop = new AbortController();
    const reading = take(endpoint, 1, { signal: stop.signal });
    stop.abort();
    expect(await reading).toEqual([]);
  });

  it('continues when the publisher restarts', async () => {
    const first = await topic('multipart', 5);
    const frames = subscribeDepth(first.endpoint)[Symbol.asyncIterator]();
    expect((await frames.next()).done).toBe(false);
    for (const close of closing.splice(0)) await close();
    const zmq = await import('zeromq');
    const socket = new zmq.Publisher({ linger: 0 });
    await bindWhenFree(socket, first.endpoint);
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 5, (n) => message(depthFrame(2, 2, n)));
    let width = 0;
    while (width !== 2) width = ((await frames.next()).value as { width: number }).width;
    await frames.return?.();
    done.abort();
    await sending;
    socket.close();
  });

  it('says what is wrong with an endpoint', async () => {
    await expect(take('tcp:/nowhere', 1)).rejects.toThrow(
      /"tcp:\/nowhere" is not a ZeroMQ endpoint/,
    );
  });
});
