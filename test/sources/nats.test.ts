import { jetstream } from '@nats-io/jetstream';
import { lastValueFrom, take, tap, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { definePipeline, defineSink, nats, natsSource, runPipeline } from '../../src/index.ts';
import { testContext } from '../support/context.ts';
import { countingSource } from '../support/counting-source.ts';
import { depthFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import {
  type NatsServer,
  natsClient,
  natsServerPath,
  publishFrame,
  startNats,
} from '../support/nats-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(!natsServerPath)('nats source', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  const stored = (name: string) =>
    ({
      servers: server.url,
      subject: `test.${name}.front`,
      delivery: 'stored' as const,
      stream: { name, subjects: [`test.${name}.>`] },
    }) satisfies Parameters<typeof nats>[0];

  /** Frames 0 to n - 1 in a stream of its own. */
  async function store(name: string, frames: number) {
    const source = countingSource({ frames });
    await runPipeline(definePipeline({ source, sinks: [nats(stored(name))] }));
  }

  /** What a run of the source gives, until the end of the stream. */
  async function replay(name: string, consumer: object, frames?: number) {
    const seen: Frame[] = [];
    const source = natsSource({
      servers: server.url,
      subject: `test.${name}.front`,
      consumer: { stream: name, durable: 'reader', 'at-end': 'stop', ...consumer },
    });
    const pipeline = definePipeline({ source, sinks: [collect({ into: seen })] });
    const summary = await runPipeline(pipeline, frames === undefined ? {} : { frames });
    return { seqs: seen.map(({ origin }) => origin?.seq), seen, summary };
  }

  it('reads live: the newest, with gaps counted, by its own numbers and times', async () => {
    const context = testContext();
    const { subject } = stored('LIVE');
    const source = natsSource.options.parse({ servers: server.url, subject });
    let arrived = 0;
    const frames = lastValueFrom(
      (await natsSource.create(source, context)).pipe(
        take(3),
        tap(() => arrived++),
        toArray(),
      ),
    );
    const sinkContext = testContext();
    closing.push(sinkContext.close, context.close);
    const sink = await nats.create(
      nats.options.parse({ servers: server.url, subject, unacknowledged: 1 }),
      sinkContext,
    );
    for (let seq = 100; arrived < 3; seq += 2) {
      const before = arrived;
      await sink?.write(depthFrame(16, 12, seq, () => 2.5));
      // The next when this one is there: of two at once the newest wins. Before the subscription they are lost.
      await until(() => arrived > before, 500).catch(() => {});
    }
    const seen = (await frames) as DepthFrame[];
    expect(seen.map(({ seq }) => seq)).toEqual([0, 2, 4]);
    expect(context.drops.get('at capture')).toBe(2);
    expect(seen[0]).toMatchObject({ width: 16, height: 12, origin: { camera: 'front' } });
    expect(seen[0]?.data[0]).toBe(2.5);
  });

  it('reads all that is stored, and continues where the last run ended', async () => {
    await store('ALL', 10);
    const first = await replay('ALL', {}, 4);
    expect(first.seqs).toEqual([0, 1, 2, 3]);
    const second = await replay('ALL', {});
    expect(second.seqs).toEqual([4, 5, 6, 7, 8, 9]);
    expect(second.summary.branches).toMatchObject([{ captured: 6, delivered: 6, failed: 0 }]);
    expect((await replay('ALL', {})).seqs).toEqual([]);
  });

  it('waits at the end for what another reader has taken and not acknowledged', async () => {
    await store('HELD', 3);
    const within = { 'acknowledge-within': '2s' };
    expect((await replay('HELD', within, 1)).seqs).toEqual([0]);
    const { nats: client } = await natsClient(server);
    closing.push(() => client.close());
    const other = await jetstream(client).consumers.get('HELD', 'reader');
    const held = await other.next();
    const { seqs, summary } = await replay('HELD', within);
    expect(seqs.toSorted()).toEqual([1, 2]);
    expect(seqs.at(-1)).toBe((held as { seq: number }).seq - 1);
    expect(summary.branches).toMatchObject([{ captured: 2, delivered: 2 }]);
    expect((await replay('HELD', within)).seqs).toEqual([]);
  });

  it('does not wait at the end for a reader that lives and holds on', async () => {
    await store('KEPT', 3);
    const within = { 'acknowledge-within': '1500ms' };
    expect((await replay('KEPT', within, 1)).seqs).toEqual([0]);
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const held = await (await jetstream(client).consumers.get('KEPT', 'reader')).next();
    const holding = setInterval(() => held?.working(), 100);
    closing.push(() => clearInterval(holding));
    const { seqs } = await replay('KEPT', within);
    expect(seqs).toHaveLength(1);
    expect((await manager.consumers.info('KEPT', 'reader')).num_ack_pending).toBe(1);
  });

  it('replays from a sequence, a time, or the newest', async () => {
    await store('FROM', 6);
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const third = await manager.streams.getMessage('FROM', { seq: 3 });
    const since = async (durable: string, from: unknown) =>
      (await replay('FROM', { durable, from })).seqs;
    expect(await since('a', { sequence: 5 })).toEqual([4, 5]);
    expect(await since('b', { time: third?.time.toISOString() })).toContain(2);
    expect(await since('c', 'newest')).toEqual([5]);
  });

  it('gives a frame again that was not delivered', async () => {
    await store('AGAIN', 3);
    const options = { 'acknowledge-within': '1s', deliveries: 3 };
    const source = natsSource({
      servers: server.url,
      subject: 'test.AGAIN.front',
      consumer: { stream: 'AGAIN', durable: 'reader', ...options },
    });
    const tries: number[] = [];
    const sink = failing({ tries });
    const summary = await runPipeline(
      definePipeline({ source, sinks: [{ sink, onError: 'skip' }] }),
      {
        frames: 4,
      },
    );
    // Number 1 fails at first.
    expect(tries).toEqual([0, 1, 2, 1]);
    expect(summary.branches).toMatchObject([{ captured: 4, delivered: 3, failed: 1 }]);
  });

  it('says what is missing', async () => {
    const open = (options: object) =>
      runPipeline(
        definePipeline({
          source: natsSource({ servers: server.url, ...options }),
          sinks: [collect({ into: [] })],
        }),
      );
    await expect(open({ consumer: { stream: 'NOWHERE', durable: 'reader' } })).rejects.toThrow(
      /there is no stream NOWHERE; start the pipeline that/,
    );
    await store('IMAGES', 1);
    const other = open({
      subject: 'test.IMAGES.front',
      kind: 'image',
      consumer: { stream: 'IMAGES', durable: 'reader' },
    });
    await expect(other).rejects.toThrow(/test.IMAGES.front carries depth frames; set kind: depth/);
  });

  it('ends when its durable is deleted, and refuses one of another subject', async () => {
    await store('TAKEN', 1);
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    const run = (subject: string) => {
      const consumer = { stream: 'TAKEN', durable: 'reader' };
      const source = natsSource({ servers: server.url, subject, consumer });
      return runPipeline(definePipeline({ source, sinks: [collect({ into: [] })] }));
    };
    const first = run('test.TAKEN.front');
    const waiting = async () =>
      (await manager.consumers.info('TAKEN', 'reader').catch(() => undefined))?.num_waiting;
    while (!(await waiting())) await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(run('test.TAKEN.rear')).rejects.toThrow(
      /durable reader of stream TAKEN reads test\.TAKEN\.front, not test\.TAKEN\.rear; give each/,
    );
    const ended = expect(first).rejects.toThrow(
      /durable reader of stream TAKEN is no longer there/,
    );
    await manager.consumers.delete('TAKEN', 'reader');
    await ended;
  });

  it('refuses frames of another subject when its durable was changed meanwhile', async () => {
    await store('CHANGED', 4);
    const { nats: client, manager } = await natsClient(server);
    closing.push(() => client.close());
    for (let seq = 0; seq < 4; seq++)
      publishFrame(client, 'test.CHANGED.rear', depthFrame(8, 6, seq));
    await client.flush();
    const source = natsSource({
      servers: server.url,
      subject: 'test.CHANGED.front',
      consumer: { stream: 'CHANGED', durable: 'reader', ahead: 1 },
    });
    const change = async () => {
      await manager.consumers.update('CHANGED', 'reader', { filter_subject: 'test.CHANGED.rear' });
    };
    const run = runPipeline(definePipeline({ source, sinks: [meanwhile({ change })] }));
    await expect(run).rejects.toThrow(/reads test\.CHANGED\.rear, not test\.CHANGED\.front/);
  });
});

const collect = defineSink({
  name: 'collect',
  summary: 'Keeps frames.',
  accepts: ['depth', 'image'],
  options: z.strictObject({ into: z.custom<Frame[]>() }),
  examples: [],
  create: async ({ into }) => ({ write: (frame) => void into.push(frame) }),
});

const failing = defineSink({
  name: 'failing',
  summary: 'Fails once on number 1.',
  accepts: ['depth'],
  options: z.strictObject({ tries: z.custom<number[]>() }),
  examples: [],
  create: async ({ tries }) => ({
    write({ origin }) {
      const seq = origin?.seq as number;
      const again = tries.includes(seq);
      tries.push(seq);
      if (seq === 1 && !again) throw new Error('not today');
    },
  }),
});

const meanwhile = defineSink({
  name: 'meanwhile',
  summary: 'Does something while it has the first frame.',
  accepts: ['depth'],
  options: z.strictObject({ change: z.custom<() => Promise<void>>() }),
  examples: [],
  create: async ({ change }) => {
    let done: Promise<void> | undefined;
    return {
      write() {
        done ??= change();
        return done;
      },
    };
  },
});
