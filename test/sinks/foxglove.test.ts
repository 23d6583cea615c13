import { once } from 'node:events';
import { connect } from 'node:net';
import { parse } from '@foxglove/rosmsg';
import { MessageReader } from '@foxglove/rosmsg2-serialization';
import { Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { sleep, systemClock } from '../../src/core/clock.ts';
import { defineSource, type Sink } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { clamp, definePipeline, startPipeline } from '../../src/index.ts';
import { foxglove } from '../../src/sinks/foxglove.ts';
import { dataFrame } from '../../src/testing/sample-frames.ts';
import { VirtualClock } from '../../src/testing.ts';
import { testContext } from '../support/context.ts';
import { openViewer } from '../support/foxglove-client.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';

const depthTopic = '/camera/depth/image_raw';

async function opened(
  options: Partial<z.input<typeof foxglove.options>> = {},
  overrides: Partial<ComponentContext> = {},
) {
  const context = testContext({ name: 'foxglove', ...overrides });
  const sink = (await foxglove.create(
    foxglove.options.parse({ port: 0, ...options }),
    context,
  )) as Sink;
  onTestFinished(() => context.close());
  const { address } = context.report() as { address: string };
  return { context, sink, address };
}

/** Depth of 1, 2, 3 and 4 metres, a frame every 20 ms. */
const wall = defineSource({
  name: 'wall',
  summary: 'Depth, for tests.',
  emits: ['depth'],
  live: true,
  examples: [{}],
  options: z.strictObject({}),
  create: async (_, { clock, signal }) =>
    new Observable<Frame>((subscriber) => {
      const deliver = async () => {
        for (let seq = 0; !subscriber.closed && !signal.aborted; seq++) {
          const frame = depthFrame(4, 1, seq, (x) => x + 1);
          subscriber.next({ ...frame, capturedAt: clock.wall() });
          await sleep(clock, 20, signal);
        }
        subscriber.complete();
      };
      deliver().catch((error: unknown) => subscriber.error(error));
    }),
});

/** Writes frames until the condition holds. */
async function feed(sink: Sink, frames: readonly Frame[], condition: () => boolean): Promise<void> {
  const done = new AbortController();
  const feeding = (async () => {
    while (!done.signal.aborted) {
      for (const frame of frames) await sink.write(frame);
      await sleep(systemClock, 10);
    }
  })();
  try {
    await until(condition);
  } finally {
    done.abort();
    await feeding;
  }
}

const floats = (data: unknown): number[] => [
  ...new Float32Array(Uint8Array.from(data as Uint8Array).buffer),
];

describe('foxglove', () => {
  it('shows live depth of a run, whose options a client changes', async () => {
    const logs: string[] = [];
    const log = { debug: () => {}, info: (text: string) => logs.push(text), warn: () => {} };
    const pipeline = definePipeline({
      source: wall(),
      operators: [clamp({ max: 10 })],
      sinks: [foxglove({ port: 0 })],
    });
    const run = await startPipeline(pipeline, { log });
    const address = /ws:\S+/.exec(logs.join('\n'))?.[0] as string;
    const viewer = await openViewer(address);
    const frames = await viewer.subscribe(depthTopic);
    await until(() => frames.length > 2);
    const [{ timestamp, value }] = frames as [(typeof frames)[number]];
    expect(value).toMatchObject({ width: 4, height: 1, encoding: '32FC1', step: 16 });
    expect(floats(value.data)).toEqual([1, 2, 3, 4]);
    const { seconds, nanos } = value.timestamp as { seconds: number; nanos: number };
    expect(BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toBe(timestamp);

    viewer.client.getParameters([], 'all');
    await until(() => viewer.parameters.size === 3);
    expect(Object.fromEntries(viewer.parameters)).toEqual({
      ...{ 'clamp.min': 0, 'clamp.max': 10, 'clamp.outside': 'invalid' },
    });
    const other = await openViewer(address);
    other.client.subscribeParameterUpdates(['clamp.max']);
    other.client.getParameters(['clamp.max']);
    await until(() => other.parameters.size === 1);
    viewer.client.setParameters([{ name: 'clamp.max', value: 2.5 }], 'set');
    await until(() => viewer.parameters.get('clamp.max') === 2.5);
    await until(() => other.parameters.get('clamp.max') === 2.5);
    const before = frames.length;
    await until(() => frames.length > before + 2);
    expect(floats(frames.at(-1)?.value.data)).toEqual([1, 2, Number.NaN, Number.NaN]);
    expect(logs.join('\n')).toContain('a client set clamp.max to 2.5');

    viewer.client.setParameters([
      { name: 'clamp.max', value: -1 },
      { name: 'clamp.mox', value: 1 },
    ]);
    await until(() => viewer.statuses.length === 2);
    expect(viewer.statuses.map(({ level, message }) => [level, message])).toEqual([
      [2, expect.stringMatching(/clamp: max/)],
      [2, expect.stringContaining('did you mean "clamp.max"?')],
    ]);

    const ledgers = await viewer.subscribe('/camera/depthline/ledger');
    await until(() => ledgers.length > 0);
    expect(ledgers[0]?.value).toMatchObject({
      captured: expect.any(Number),
      branches: [expect.objectContaining({ name: 'foxglove' })],
    });
    run.stop();
    const { branches, violations, components } = await run.done;
    expect(violations).toEqual([]);
    expect(branches[0]?.delivered).toBeGreaterThan(3);
    expect(components.foxglove).toMatchObject({ clients: 2, notSent: 0 });
  });

  it('lets a client that stops reading lose its own frames only', async () => {
    const { sink, address, context } = await opened({ encoding: 'ros2' });
    await sink.write(depthFrame(4, 4, 0));
    const stopped = new WebSocket(address, ['foxglove.sdk.v1']);
    await once(stopped, 'open');
    stopped.send(JSON.stringify({ op: 'subscribe', subscriptions: [{ id: 7, channelId: 2 }] }));
    // The data of an image is the end of its message.
    const last = (data: Uint8Array) => Buffer.from(data).readFloatLE(data.length - 4);
    const got: number[] = [];
    stopped.on('message', (data: Buffer, binary) => {
      if (binary) got.push(last(data));
    });
    const viewer = await openViewer(address);
    expect(viewer.channels.get(depthTopic)?.id).toBe(2);
    const frames = await viewer.subscribe(depthTopic, () => (data) => ({ metres: last(data) }));
    // Both are subscribed when frames reach both.
    await feed(sink, [depthFrame(4, 4, 1)], () => frames.length > 0 && got.length > 0);
    await sink.write(depthFrame(4, 4, 2, () => 99));
    await until(() => got.at(-1) === 99 && frames.at(-1)?.value.metres === 99);
    const read = got.length;
    let seq = 100;
    stopped.pause();
    const first = frames.length;
    const count = 40;
    for (let n = 0; n < count; n++, seq++) {
      const metres = seq;
      await sink.write(depthFrame(640, 480, seq, () => metres));
      await until(() => frames.length === first + n + 1);
    }
    const { notSent } = context.report() as { notSent: number };
    expect(notSent).toBeGreaterThan(5);
    stopped.resume();
    // What it gets in the end is the newest frame.
    await until(() => got.at(-1) === seq - 1);
    expect(got.length - read).toBe(count - notSent);
    expect(context.report()).toMatchObject({ notSent });
    stopped.terminate();
  });

  it('wants frames only while a client subscribes to their topics', async () => {
    const { sink, address } = await opened({ demand: 'subscribers' });
    const seen: boolean[] = [];
    sink.wanted?.subscribe((wanted) => seen.push(wanted));
    expect(seen).toEqual([false]);
    const viewer = await openViewer(address);
    // Nobody can subscribe to topics that are not known yet.
    await until(() => seen.at(-1) === true);
    await viewer.subscribe('/camera/depthline/ledger');
    await sink.write(depthFrame(4, 3, 0));
    await until(() => seen.at(-1) === false);
    await viewer.subscribe(depthTopic);
    await until(() => seen.at(-1) === true);
    viewer.close();
    await until(() => seen.at(-1) === false);
    expect(seen).toEqual([false, true, false, true, false]);
  });

  it('speaks both names of the protocol, and nothing else', async () => {
    const { address } = await opened();
    for (const name of ['foxglove.sdk.v1', 'foxglove.websocket.v1']) {
      const { client } = await openViewer(address, name);
      expect(client).toBeDefined();
    }
    const socket = new WebSocket(address, ['other.v1']);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    const { status } = await fetch(address.replace('ws:', 'http:'));
    expect(status).toBe(426);
  });

  it.each([
    ['https://app.foxglove.dev', true],
    ['file://', true],
    ['https://evil.example', false],
    ['null', false],
  ])('a page of %s may connect: %s', async (origin, allowed) => {
    const { address, context } = await opened();
    const socket = new WebSocket(address, ['foxglove.sdk.v1'], { headers: { origin } });
    const result = await Promise.race([
      once(socket, 'open').then(() => true),
      new Promise((resolve) => socket.on('error', () => resolve(false))),
    ]);
    expect(result).toBe(allowed);
    expect(context.report()).toMatchObject({ refused: allowed ? 0 : 1 });
    if (!allowed) expect(context.logs.at(-1)?.message).toContain(`refused a connection from`);
    socket.terminate();
  });

  it('answers only to names of this machine, and to as many clients as it is told', async () => {
    const { address, context } = await opened({ clients: 1 });
    const { port } = new URL(address);
    const raw = connect(Number(port), '127.0.0.1');
    raw.write(
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
        'Sec-WebSocket-Protocol: foxglove.sdk.v1\r\n\r\n',
    );
    const [head] = (await once(raw, 'data')) as [Buffer];
    expect(head.toString()).toContain('403');
    await openViewer(address);
    const second = new WebSocket(address, ['foxglove.sdk.v1']);
    const [error] = (await once(second, 'error')) as [Error];
    expect(error.message).toContain('403');
    expect(context.report()).toMatchObject({ clients: 1, refused: 2 });
  });

  it('keeps going when a client sends what cannot be read', async () => {
    const { sink, address, context } = await opened();
    const socket = new WebSocket(address, ['foxglove.sdk.v1']);
    await once(socket, 'open');
    for (const text of ['{', 'null', '{"op":"subscribe"}', '{"op":"nothing"}', '[]']) {
      socket.send(text);
    }
    socket.send(Buffer.from([99, 1, 2]));
    socket.send(Buffer.alloc(0));
    await until(() => context.logs.some(({ level }) => level === 'warn'));
    const viewer = await openViewer(address);
    await sink.write(depthFrame(4, 3, 0));
    const frames = await viewer.subscribe(depthTopic);
    await feed(sink, [depthFrame(4, 3, 1)], () => frames.length > 0);
    expect(context.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
    socket.terminate();
  });

  it('takes so many messages of a client in a second, and lets the others wait', async () => {
    const clock = new VirtualClock();
    const { address } = await opened({}, { clock });
    const sent = 20_000;
    const socket = new WebSocket(address, ['foxglove.sdk.v1']);
    onTestFinished(() => socket.terminate());
    let answers = 0;
    socket.on('message', (data, binary) => {
      if (!binary && JSON.parse(data.toString()).op === 'status') answers++;
    });
    await once(socket, 'open');
    // Each is answered with a complaint.
    const message = JSON.stringify({ op: 'unsubscribe', subscriptionIds: [7] });
    for (let n = 0; n < sent; n++) socket.send(message);
    await until(() => answers > 0);
    const viewer = await openViewer(address);
    // In so many turns all of them would have been taken.
    for (let n = 1; n <= 50; n++) {
      viewer.client.unsubscribe(7);
      await until(() => viewer.statuses.length === n);
    }
    const before = answers;
    expect(before).toBeLessThan(sent / 2);
    await clock.advance(1000);
    await until(() => answers > before);
  });

  it('disconnects a client that fills the memory with names', async () => {
    const { address } = await opened();
    const socket = new WebSocket(address, ['foxglove.sdk.v1']);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    for (let n = 0; n < 40; n++) {
      const parameterNames = [`${n}`.repeat(30_000).slice(0, 60_000)];
      socket.send(JSON.stringify({ op: 'subscribeParameterUpdates', parameterNames }));
    }
    await closed;
  });

  it('sends messages of ROS 2, transforms, data and compressed pictures', async () => {
    const { sink, address } = await opened({
      encoding: 'ros2',
      pictures: 'jpeg',
      mount: { position: [1, 2, 3] },
    });
    const image = imageFrame(16, 12);
    const depth: DepthFrame = {
      ...depthFrame(16, 12, 0, () => 2),
      ...{ image, intrinsics: { fx: 8, fy: 8, cx: 4, cy: 3 } },
    };
    await sink.write(depth);
    await sink.write(dataFrame(0));
    const viewer = await openViewer(address);
    const decode = ({ schema }: { schema: string }) => {
      const reader = new MessageReader(parse(schema, { ros2: true }));
      return (bytes: Uint8Array) => reader.readMessage(bytes);
    };
    const topics = {
      depth: await viewer.subscribe(depthTopic, decode),
      info: await viewer.subscribe('/camera/depth/camera_info', decode),
      picture: await viewer.subscribe('/camera/image_raw/compressed', decode),
      transforms: await viewer.subscribe('/tf_static', decode),
      data: await viewer.subscribe('/camera/data'),
    };
    await feed(sink, [depth, dataFrame(1)], () =>
      Object.values(topics).every((messages) => messages.length > 0),
    );
    const [seen, info] = [topics.depth[0], topics.info[0]].map((one) => one?.value);
    expect(seen).toMatchObject({ encoding: '32FC1', width: 16, height: 12 });
    expect(info).toMatchObject({
      header: { stamp: (seen as { header: { stamp: object } }).header.stamp },
      k: Float64Array.of(8, 0, 4, 0, 8, 3, 0, 0, 1),
    });
    expect(topics.picture[0]?.value).toMatchObject({ format: 'jpeg' });
    expect(topics.transforms[0]?.value.transforms).toMatchObject([
      { transform: { translation: { x: 1, y: 2, z: 3 } } },
      { child_frame_id: 'camera_optical_frame' },
    ]);
    expect(topics.data[0]?.value).toEqual({ value: expect.anything() });
  });

  it('has relative depth on another topic, and refuses millimetres', async () => {
    const relative: DepthFrame = { ...depthFrame(4, 3), unit: 'relative' };
    const { sink, address, context } = await opened();
    await sink.write(relative);
    const { channels } = await openViewer(address);
    await until(() => channels.size === 2);
    expect([...channels.keys()]).toContain('/camera/relative_depth/image_raw');
    expect(context.report()).toMatchObject({ unit: 'relative' });
    const other = await opened({ depth: '16UC1' });
    await expect((async () => other.sink.write(relative))()).rejects.toThrow(/relative/);
  });

  it('warns of a server that everyone can reach', async () => {
    const { context } = await opened({ host: '0.0.0.0' });
    expect(context.logs.map(({ message }) => message).join()).toContain('open to the network');
    expect(foxglove.warnings?.(foxglove.options.parse({}), '.')).toEqual([]);
    await expect(opened({ host: '192.0.2.1' })).rejects.toThrow(/not an address of this machine/);
  });
});
