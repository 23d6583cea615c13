import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, take, tap, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Publisher } from 'zeromq';
import { ageMs, systemClock } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { zeromq } from '../../src/sources/zeromq.ts';
import { bindWhenFree } from '../../src/topic/bind.ts';
import { workplace } from '../support/cli.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/gstreamer.ts';
import { freeEndpoint, message, publisher, sendUntil } from '../support/topic.ts';

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
  it('yields frames of the topic, and counts what the publisher did not send', async () => {
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

  it('reads a header with null where a key may be missing', async () => {
    const endpoint = await topic((n) => {
      const [name, header, payload] = message(depthFrame(4, 3, n)) as [Buffer, Buffer, Buffer];
      const nulls = { publishedAt: null, dropped: null, name: null, view: null };
      return [
        name,
        Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(header).toString()), ...nulls })),
        payload,
      ];
    });
    const frame = await firstValueFrom(await open({ connect: endpoint }));
    expect(frame).toMatchObject({ kind: 'depth', width: 4, height: 3 });
    expect(context.drops.get('corrupt message')).toBeUndefined();
  });

  it('keeps seq and pts rising when the publisher restarts', async () => {
    const hour = 3_600_000_000_000n;
    const endpoint = await topic((n) => {
      const frame = depthFrame(4, 3, n % 7);
      return message({ ...frame, pts: frame.pts + (n % 14 < 7 ? hour : 0n) });
    });
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(30), toArray()),
    );
    for (const [i, { seq, pts }] of frames.slice(1).entries()) {
      const before = frames[i] as Frame;
      expect(seq).toBeGreaterThan(before.seq);
      expect(pts).toBeGreaterThanOrEqual(before.pts);
      expect(pts - before.pts).toBeLessThan(hour / 2n);
    }
  });

  it('does not count a leap that no loss explains', async () => {
    const endpoint = await topic((n) =>
      message({ ...depthFrame(4, 3, n), seq: n + (n % 2) * 2 ** 50 }),
    );
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(20), toArray()),
    );
    expect(frames.at(-1)?.seq).toBeLessThan(2 ** 40);
    expect(context.drops.get('at capture') ?? 0).toBeLessThan(2 ** 40);
  });

  it('yields nothing while the gate is closed, and then the newest', async () => {
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

  it('reports a topic of another kind than expected', async () => {
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
      /nothing received from .* for 50 ms; is the publisher running\?/,
    );
  });

  it('is not silent while nobody asks for frames', async () => {
    const endpoint = await topic((n) => message(depthFrame(4, 3, n)));
    const clock = new VirtualClock();
    context = testContext({ clock });
    closing.push(context.close);
    const { gate } = context;
    const options = zeromq.options.parse({ connect: endpoint, 'silent-after': '5s' });
    const seen: Frame[] = [];
    const errors: unknown[] = [];
    (await zeromq.create(options, context)).subscribe({
      next: (frame) => {
        seen.push(frame);
        gate.hold('a pause');
      },
      error: (error: unknown) => errors.push(error),
    });
    await until(() => seen.length === 1);
    await clock.advance(3_600_000);
    expect(errors).toEqual([]);
    gate.release('a pause');
    await until(() => seen.length === 2);
    context.abort();
  });

  it('skips corrupt messages, and counts and reports them', async () => {
    const endpoint = await topic((n) => {
      if (n % 4 !== 2) return message(depthFrame(4, 3, n));
      const [name, header, payload] = message(depthFrame(4, 3, n)) as [Buffer, Buffer, Buffer];
      const lie = {
        ...JSON.parse(Buffer.from(header).toString()),
        capturedAt: '-9999999999999999999',
      };
      return [name, Buffer.from(JSON.stringify(lie)), payload];
    });
    const frames = await firstValueFrom(
      (await open({ connect: endpoint })).pipe(take(60), toArray()),
    );
    const corrupt = context.drops.get('corrupt message') as number;
    expect(corrupt).toBeGreaterThan(10);
    expect(context.report()).toEqual({ corrupt });
    const lost = context.drops.get('at capture') ?? 0;
    expect((frames.at(-1)?.seq as number) + 1).toBe(frames.length + corrupt + lost);
    expect(context.logs.map(({ message }) => message)).toEqual([
      'not a Depthline message: capturedAt -9999999999999999999',
      'not a Depthline message: capturedAt -9999999999999999999 (corrupt messages so far: 10)',
    ]);
  });

  it.each([-120_000, 120_000])(
    'gives ages by the clock of this machine where the publisher is %d ms off, and warns once',
    async (offMs) => {
      const off = BigInt(offMs) * 1_000_000n;
      const endpoint = await topic((n) => {
        const now = systemClock.wall() + off;
        const frame = { ...depthFrame(4, 3, n), capturedAt: now - 5_000_000n };
        return message(frame, { publishedAt: now });
      });
      const source = await open({ connect: endpoint });
      const ages: number[] = [];
      await firstValueFrom(
        source.pipe(
          tap((frame) => ages.push(ageMs(context.clock, frame))),
          take(40),
          toArray(),
        ),
      );
      expect(Math.min(...ages)).toBeGreaterThanOrEqual(5);
      expect(ages.toSorted((a, b) => a - b)[20]).toBeLessThan(60_000);
      expect(context.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(
          `the publisher's clock is 120.0 s ${offMs < 0 ? 'behind' : 'ahead of'} this machine's`,
        ),
      ]);
    },
  );

  it('reports since when it has no publisher, waits for it, and reports its return', async () => {
    const endpoint = await freeEndpoint();
    const source = await open({ connect: endpoint });
    const seen: number[] = [];
    const subscription = source.subscribe((frame) => seen.push(frame.seq));
    closing.push(() => subscription.unsubscribe());
    for (const round of [1, 2]) {
      const socket = new Publisher({ linger: 0 });
      await bindWhenFree(socket, endpoint);
      const done = new AbortController();
      const sending = sendUntil(socket, done.signal, 2, (n) => message(depthFrame(4, 3, n)));
      await expect.poll(() => seen.length).toBeGreaterThan(5 * round);
      done.abort();
      await sending;
      socket.close();
      await expect.poll(() => context.away.length).toBe(1 + 2 * round);
      seen.length = 5 * (round + 1);
    }
    expect(context.away.map((since) => typeof since)).toEqual([
      ...['bigint', 'undefined', 'bigint', 'undefined', 'bigint'],
    ]);
  });

  it('does not yield frames received while the gate was closed, though no other came since', async () => {
    const endpoint = await freeEndpoint();
    const first = new Publisher({ linger: 5000 });
    await first.bind(endpoint);
    const source = await open({ connect: endpoint });
    context.gate.hold('a subscriber');
    const widths: number[] = [];
    const subscription = source.subscribe((frame) => {
      if (frame.kind === 'depth') widths.push(frame.width);
    });
    closing.push(() => subscription.unsubscribe());
    let sent = 0;
    while (!context.drops.has('at capture')) {
      await first.send(message(depthFrame(2, 2, sent++)));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (let more = 0; more < 3; more++) await first.send(message(depthFrame(2, 2, sent++)));
    first.close();
    await until(() => context.away.length === 3);
    const second = new Publisher({ linger: 0 });
    closing.push(() => second.close());
    await bindWhenFree(second, endpoint);
    context.gate.release('a subscriber');
    while (widths.length === 0) {
      await second.send(message(depthFrame(9, 2, sent++)));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(widths[0]).toBe(9);
  });

  it.each([
    ['connects', 'connect'],
    ['binds', 'bind'],
  ])('that %s reads over IPv6', async (_, use) => {
    const other = new Publisher({ linger: 0, ipv6: true });
    closing.push(() => other.close());
    await other.bind('tcp://[::1]:*');
    let endpoint = other.lastEndpoint as string;
    if (use === 'bind') {
      await other.unbind(endpoint);
      endpoint = `tcp://[::1]:${await freePort()}`;
      other.connect(endpoint);
    }
    const done = new AbortController();
    const sending = sendUntil(other, done.signal, 2, (n) => message(depthFrame(4, 3, n)));
    const source = await open({ [use]: endpoint });
    expect(await firstValueFrom(source.pipe(take(3), toArray()))).toHaveLength(3);
    done.abort();
    await sending;
  });

  it('that binds replaces no endpoint of another process, and no file', async () => {
    const path = join(workplace(), 'depth');
    const first = await open({ bind: `ipc://${path}` });
    const subscription = first.subscribe();
    closing.push(() => subscription.unsubscribe());
    await expect.poll(() => existsSync(path)).toBe(true);
    const second = await open({ bind: `ipc://${path}` });
    await expect(firstValueFrom(second)).rejects.toThrow(/in use by another process; stop it/);
    const file = join(workplace(), 'notes');
    writeFileSync(file, 'notes');
    const third = await open({ bind: `ipc://${file}` });
    await expect(firstValueFrom(third)).rejects.toThrow(/a file that is not a socket is there/);
    expect(readFileSync(file, 'utf8')).toBe('notes');
  });
});
