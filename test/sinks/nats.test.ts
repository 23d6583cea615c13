import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { expectReceipt } from '../../src/core/receipts.ts';
import {
  definePipeline,
  estimateDepth,
  nats,
  runPipeline,
  sample,
  testPattern,
} from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { unpackMessage } from '../../src/topic/message.ts';
import { decodeMessage } from '../../src/topic/message-codec.ts';
import { testContext } from '../support/context.ts';
import { countingSource } from '../support/counting-source.ts';
import { depthFrame } from '../support/frames.ts';
import { putModel } from '../support/models.ts';
import {
  type NatsServer,
  natsClient,
  natsServerPath,
  startNats,
  storedIn,
} from '../support/nats-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: object, overrides: Parameters<typeof testContext>[0] = {}) {
  const context = testContext(overrides);
  closing.push(context.close);
  const sink = await nats.create(nats.options.parse(options), context);
  if (!sink) throw new Error('no sink');
  return { sink, context };
}

describe.skipIf(!natsServerPath)('nats sink', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  const storedOptions = (name: string, more = {}) => ({
    servers: server.url,
    subject: `test.${name}`,
    delivery: 'stored',
    stream: { name, ...more },
  });

  it('publishes live: a message of the depth topic in one part', async () => {
    const { nats: client } = await natsClient(server);
    closing.push(() => client.close());
    const subscription = client.subscribe('test.live', { max: 2 });
    await client.flush();
    const { sink, context } = await open({ servers: server.url, subject: 'test.live' });
    for (let seq = 0; seq < 2; seq++) await sink.write(depthFrame(8, 6, seq, () => 1.234));
    const frames: DepthFrame[] = [];
    for await (const { data, headers } of subscription) {
      const message = unpackMessage([data]);
      expect(message).toMatchObject({ topic: 'test.live', header: { encoding: '16UC1-deflate' } });
      expect(headers?.get('Nats-Msg-Id')).toMatch(/^[0-9a-f]{16}-[01]$/);
      frames.push((await decodeMessage(message)) as DepthFrame);
    }
    expect(frames.map(({ seq, data }) => [seq, data[7]])).toEqual([
      [0, Math.fround(1.234)],
      [1, Math.fround(1.234)],
    ]);
    expect(context.report()).toMatchObject({ messages: 2 });
  });

  it('stores each frame once, by its run and number', async () => {
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const { sink, context } = await open(storedOptions('ONCE'));
    for (let seq = 0; seq < 20; seq++) await sink.write(depthFrame(8, 6, seq));
    await context.close();
    const { run } = context.report();
    const stored = await storedIn(manager, 'ONCE');
    expect(stored.map(({ header }) => header.get('Nats-Msg-Id'))).toEqual(
      Array.from({ length: 20 }, (_, seq) => `${run}-${seq}`),
    );
  });

  it('counts what is not acknowledged at the end as failed, and says so', async () => {
    const other = await startNats();
    closing.push(other.stop);
    const clock = new VirtualClock();
    const options = { ...storedOptions('LOST'), servers: other.url };
    const { sink, context } = await open(options, { clock });
    const origin = { id: 'camera-0', camera: 'front', seq: 0, pts: 0n, dropped: 0 };
    const acknowledged = new Promise<string>((resolve) => expectReceipt(origin, resolve));
    await sink.write({ ...depthFrame(8, 6, 0), origin });
    await acknowledged;
    await other.kill();
    for (const seq of [1, 2, 3]) await sink.write(depthFrame(8, 6, seq));
    const closed = context.close();
    await clock.advance(2000);
    await closed;
    expect(context.counts.undelivered).toBe(3);
    const warnings = context.logs.map(({ message }) => message);
    expect(warnings).toContainEqual(
      expect.stringMatching(
        /^3 frames were not acknowledged when the run ended, and count as failed/,
      ),
    );
  });

  it('with unacknowledged: 1 a frame is delivered when it is stored, and not before', async () => {
    const other = await startNats();
    closing.push(other.stop);
    const options = { ...storedOptions('EXACT'), servers: other.url, unacknowledged: 1 };
    const { sink, context } = await open(options);
    await sink.write(depthFrame(8, 6, 0));
    await other.kill();
    const writing = Promise.resolve(sink.write(depthFrame(8, 6, 1))).then(
      () => 'delivered',
      () => 'given up',
    );
    context.abort();
    expect(await writing).toBe('given up');
    await context.close();
    expect(context.counts.undelivered).toBe(0);
  });

  it('refuses a frame that is larger than what the server accepts, with the figures', async () => {
    const other = await startNats('max_payload: 4096');
    closing.push(other.stop);
    const { sink } = await open({
      ...storedOptions('SMALL'),
      servers: other.url,
      encoding: '32FC1',
    });
    await expect(sink.write(depthFrame(64, 48))).rejects.toThrow(
      /a message of depth has 12\d{3} bytes, and nats:\S+ accepts 4096: raise max_payload/,
    );
    await sink.write(depthFrame(8, 6));
  });

  it('refuses them before the first frame where the size of all is known', async () => {
    const other = await startNats('max_payload: 4096');
    closing.push(other.stop);
    const folder = mkdtempSync(join(tmpdir(), 'depthline-payload-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    // It gives half the size of its pictures.
    const model = putModel(folder, 'open-size', { input: { width: 80, height: 48 } });
    const run = (width: number, encoding: '32FC1' | '16UC1-deflate', estimates = false) =>
      runPipeline(
        definePipeline({
          source: testPattern({ width, height: 30, frames: 1 }),
          operators: [sample({ every: 1 }), ...(estimates ? [estimateDepth({ model })] : [])],
          sinks: [nats({ servers: other.url, subject: 'test.known', encoding })],
        }),
      );
    await expect(run(40, '32FC1')).rejects.toThrow(
      /a message of image of 40×30 pixels has 3600 bytes and its header, and nats:\S+ accepts 4096/,
    );
    expect((await run(20, '32FC1')).branches).toMatchObject([{ delivered: 1 }]);
    await expect(run(40, '32FC1', true)).rejects.toThrow(
      /a message of depth of 40×24 pixels has 3840 bytes and its header.*or compress them/,
    );
    expect((await run(40, '16UC1-deflate', true)).branches).toMatchObject([{ delivered: 1 }]);
  });

  it('refuses relative depth in millimetres', async () => {
    const { sink } = await open({ servers: server.url, subject: 'test.relative' });
    const relative = { ...depthFrame(8, 6), unit: 'relative' as const };
    await expect(sink.write(relative)).rejects.toThrow(/relative, without a unit.*32FC1/);
  });

  it('says what is missing: a server, JetStream, a stream', async () => {
    const refused = open({ servers: 'nats://127.0.0.1:1' });
    await expect(refused).rejects.toThrow(
      /cannot connect to nats:.*connection refused; start nats-server/,
    );
    const unnamed = open({ servers: server.url, subject: 'no.stream', delivery: 'stored' });
    await expect(unnamed).rejects.toThrow(
      /no stream of the server stores no\.stream; give "stream"/,
    );
  });

  it('leaves a stream that exists as it is, and says in what it differs', async () => {
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    await manager.streams.add({ name: 'MINE', subjects: ['test.MINE'], max_bytes: 5_000_000 });
    const { sink, context } = await open(storedOptions('MINE', { 'max-size': '1GB' }));
    await sink.write(depthFrame(8, 6));
    const { config } = await manager.streams.info('MINE');
    expect(config.max_bytes).toBe(5_000_000);
    const [log] = context.logs;
    expect(log?.message).toMatch(/^stream MINE exists with other settings.*max_bytes 5000000/);
  });

  it('refuses a stream that stores other subjects, in the options and on the server', async () => {
    const elsewhere = storedOptions('ELSEWHERE', { subjects: ['other.*', 'test.*.front'] });
    expect(nats.options.safeParse(elsewhere).error?.issues).toMatchObject([
      {
        path: ['stream', 'subjects'],
        message: expect.stringMatching(/would not store test\.ELSEWHERE/),
      },
    ]);
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    await manager.streams.add({ name: 'ELSEWHERE', subjects: ['other.>'] });
    await expect(open(storedOptions('ELSEWHERE'))).rejects.toThrow(
      /^stream ELSEWHERE exists and stores other\.>, not test\.ELSEWHERE; name another/,
    );
  });

  it('creates a stream again that is lost while it runs', async () => {
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const { sink, context } = await open({ ...storedOptions('AGAIN'), unacknowledged: 1 });
    await sink.write(depthFrame(8, 6, 0));
    await manager.streams.delete('AGAIN');
    await sink.write(depthFrame(8, 6, 1));
    expect((await manager.streams.info('AGAIN')).state.messages).toBe(1);
    expect(context.logs.map(({ message }) => message)).toEqual([
      expect.stringMatching(/no stream stores test\.AGAIN any more; stream AGAIN is created again/),
    ]);
  });

  it('waits while a full stream refuses frames, and goes on when there is room', async () => {
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const stream = { 'messages-per-subject': 3, 'when-full': 'refuse' };
    const { sink, context } = await open({ ...storedOptions('FULL', stream), unacknowledged: 1 });
    for (let seq = 0; seq < 3; seq++) await sink.write(depthFrame(8, 6, seq));
    let written = false;
    const writing = Promise.resolve(sink.write(depthFrame(8, 6, 3))).then(() => {
      written = true;
    });
    while (!context.logs.some(({ message }) => /maximum messages/.test(message))) await sleep(5);
    expect(written).toBe(false);
    await manager.streams.deleteMessage('FULL', 1);
    await writing;
    const ids = (await storedIn(manager, 'FULL')).map(({ header }) => header.get('Nats-Msg-Id'));
    expect(ids.map((id) => id.split('-')[1])).toEqual(['1', '2', '3']);
  });
});

describe.skipIf(!natsServerPath)('a server that is killed for 1.5 s', () => {
  const frames = 500;
  let server: NatsServer;
  let stored: { ids: string[]; summary: Awaited<ReturnType<typeof runPipeline>> }[];

  beforeAll(async () => {
    server = await startNats();
    const run = async (
      name: string,
      queue: { limit: number; whenFull: 'block' | 'drop-oldest' },
    ) => {
      const target = { servers: server.url, subject: `test.${name}`, stream: { name } };
      const sink = nats({ ...target, delivery: 'stored' });
      const pipeline = definePipeline({
        source: countingSource({ frames, everyMs: 4 }),
        sinks: [{ sink, queue }],
      });
      return runPipeline(pipeline);
    };
    const runs = [
      run('BLOCK', { limit: 2, whenFull: 'block' }),
      run('DROP', { limit: 2, whenFull: 'drop-oldest' }),
    ];
    const { nats: client, manager } = await natsClient(server);
    while (((await manager.streams.info('BLOCK').catch(() => undefined))?.state.messages ?? 0) < 50)
      await sleep(10);
    await server.kill();
    await sleep(1500);
    await server.restart();
    const summaries = await Promise.all(runs);
    stored = [];
    for (const [i, name] of ['BLOCK', 'DROP'].entries()) {
      const messages = await storedIn(manager, name);
      const ids = messages.map(({ header }) => header.get('Nats-Msg-Id'));
      stored.push({ ids, summary: summaries[i] as (typeof summaries)[number] });
    }
    await client.close();
  });
  afterAll(() => server?.stop());

  const numbers = (ids: string[]) => ids.map((id) => Number(id.split('-')[1]));

  it('with block: nothing is lost, and nothing stored twice', () => {
    const [{ ids, summary }] = stored as [(typeof stored)[number]];
    expect(numbers(ids)).toEqual(Array.from({ length: frames }, (_, seq) => seq));
    expect(summary.branches).toMatchObject([{ delivered: frames, failed: 0, dropped: [] }]);
  });

  it('with drop-oldest: every frame is acknowledged or counted', () => {
    const { ids, summary } = stored[1] as (typeof stored)[number];
    const seqs = numbers(ids);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    const [account] = summary.branches;
    const dropped = account?.dropped.reduce((sum, { count }) => sum + count, 0);
    expect(dropped).toBeGreaterThan(0);
    expect(account).toMatchObject({ delivered: seqs.length, failed: 0 });
    expect(seqs.length + (dropped ?? 0)).toBe(frames);
  });
});
