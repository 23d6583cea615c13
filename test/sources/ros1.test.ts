import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { DepthFrame, Frame, ImageFrame, PointsFrame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { noPublisher } from '../../src/ros1/no-publisher.ts';
import { ros1 as ros1Sink } from '../../src/sinks/ros1.ts';
import { ros1 } from '../../src/sources/ros1.ts';
import { imageFrame, pointsFrame } from '../../src/testing/sample-frames.ts';
import { VirtualClock } from '../../src/testing.ts';
import { testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';
import { openMaster, publishFrames } from '../support/own-master.ts';
import { hasRos1, type Master, rospy, startMaster } from '../support/ros1.ts';

if (!hasRos1)
  console.warn('ROS 1 is not installed: its tests are skipped; "make test" installs it');

async function reading(
  { uri }: Pick<Master, 'uri'>,
  options: Partial<z.input<typeof ros1.options>> & { readonly topic: string },
  gate = new Gate(),
  clock: Clock = systemClock,
) {
  const context = testContext({ name: 'ros1', gate, clock });
  onTestFinished(() => context.close());
  const parsed = ros1.options.parse({ master: uri, host: '127.0.0.1', ...options });
  const frames: Frame[] = [];
  let error: Error | undefined;
  const source = await ros1.create(parsed, context);
  const subscription = source.subscribe({
    next: (frame) => frames.push(frame),
    error: (failure: Error) => {
      error = failure;
    },
  });
  onTestFinished(() => subscription.unsubscribe());
  return { context, frames, error: () => error };
}

const values = Array.from({ length: 24 }, (_, n) => n);

it('says what is published when its topic is not', async () => {
  const own = await openMaster();
  onTestFinished(() => own.close());
  const publishing = await publishFrames(own, 10, (seq) => imageFrame(4, 4, seq));
  onTestFinished(publishing.stop);
  const clock = new VirtualClock();
  const { context, frames } = await reading(own, { topic: '/camra/image_raw' }, undefined, clock);
  const hints = () =>
    context.logs.filter(({ level }) => level === 'info').map(({ message }) => message);
  await clock.advance(1999);
  expect(hints()).toEqual([]);
  // The topic is registered when the sink has its first frame.
  await until(() => own.topics().has('/camera/image_raw'));
  // The source begins to wait when the master, a real server, has answered it.
  for (; hints().length === 0; await setImmediate()) await clock.advance(1);
  expect(hints()).toEqual([
    'no node publishes /camra/image_raw yet; it is waited for (pictures are on /camera/image_raw)',
  ]);
  expect(frames).toEqual([]);
});

it('a publisher that cannot be reached is told from one that is not there', () => {
  const asked = { topic: '/a', as: 'points' } as const;
  expect(noPublisher(asked, [['/a', 'sensor_msgs/PointCloud2']])).toContain(
    'a node publishes /a, but no connection to it can be made',
  );
  expect(noPublisher(asked, [['/b', 'sensor_msgs/Image']])).toBe(
    'no node publishes /a yet; it is waited for (no node publishes points)',
  );
});

describe.skipIf(!hasRos1)('the ros1 source', () => {
  let master: Master;
  beforeAll(async () => {
    // Hooks that are registered in a hook are not called.
    master = await startMaster(undefined, () => {});
  });
  afterAll(() => master?.stop());

  it.each([
    ['32FC1', values],
    ['16UC1', values.map((value) => Math.fround(value / 1000))],
  ])('reads depth of %s with the stamps and intrinsics of rospy', async (encoding, metres) => {
    const topic = `/depth_${encoding.toLowerCase()}/image_raw`;
    const { frames, context } = await reading(master, { topic, as: 'depth' });
    const began = BigInt(Date.now()) * 1_000_000n;
    rospy('ros1_writer.py', [topic, encoding, '30'], master);
    // Intrinsics come on a topic of their own, and may begin later.
    const known = () => (frames.at(-1) as DepthFrame | undefined)?.intrinsics !== undefined;
    await until(() => frames.length > 10 && known());
    const [frame] = frames.slice(-1) as [DepthFrame];
    expect([...frame.data]).toEqual(metres);
    expect(frame).toMatchObject({
      ...{ kind: 'depth', width: 6, height: 4, source: 'ros1' },
      intrinsics: { fx: 5, fy: 5, cx: 3, cy: 2 },
    });
    expect(frame.capturedAt).toBeGreaterThan(began);
    // Where the first messages were late, their captures were taken to be later than they were.
    await until(() => {
      const [before, last] = frames.slice(-2) as [Frame, Frame];
      return last.pts - before.pts === last.capturedAt - before.capturedAt;
    });
    expect(context.away[0]).toEqual(expect.any(BigInt));
    expect(context.away.at(-1)).toBeUndefined();
  });

  it.each([
    ['bgr8', '', [200, 100, 0]],
    ['png', '/compressed', [0, 0, 0]],
  ])('reads pictures of %s', async (encoding, suffix, pixel) => {
    const topic = `/${encoding}/image_raw${suffix}`;
    const { frames } = await reading(master, { topic });
    rospy('ros1_writer.py', [topic, encoding, '30'], master);
    await until(() => frames.length > 2);
    const [picture] = frames.slice(-1) as [ImageFrame];
    expect(picture).toMatchObject({ kind: 'image', width: 6, height: 4, format: 'rgb' });
    expect([...picture.data.subarray(0, 3)]).toEqual(pixel);
    expect(picture.data).toHaveLength(72);
  });

  it('loses and counts what comes while the pipeline is busy, and finds a publisher again', async () => {
    const gate = new Gate();
    const topic = '/again/image_raw';
    const { frames, context } = await reading(master, { topic, as: 'depth' }, gate);
    const first = rospy('ros1_writer.py', [topic, '32FC1', '50'], master);
    await until(() => frames.length > 3);
    gate.hold('test');
    const before = frames.length;
    await until(() => (context.drops.get('at capture') ?? 0) > 5);
    expect(frames.length).toBe(before);
    gate.release('test');
    await until(() => frames.length > before + 2);
    const seqs = frames.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    await first.stop();
    await until(() => context.away.at(-1) !== undefined);
    const rest = frames.length;
    rospy('ros1_writer.py', [topic, '32FC1', '50'], master);
    await until(() => frames.length > rest + 3);
    expect(context.away.at(-1)).toBeUndefined();
    expect((frames.at(-1) as Frame).pts).toBeGreaterThan((frames[rest - 1] as Frame).pts);
    expect(context.logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('reads what the sink publishes, also of a master that was restarted', async () => {
    const own = await startMaster();
    const port = Number(new URL(own.uri).port);
    const context = testContext({ name: 'ros1' });
    onTestFinished(() => context.close());
    const options = ros1Sink.options.parse({ master: own.uri, host: '127.0.0.1' });
    const sink = await ros1Sink.create(options, context);
    const { frames, context: read } = await reading(own, { topic: '/camera/points', as: 'points' });
    let seq = 0;
    const feed = async (condition: () => boolean) => {
      for (const end = performance.now() + 45_000; !condition(); ) {
        if (performance.now() > end) throw new Error(`not within 45 s: ${condition}`);
        await sink?.write({ ...pointsFrame(seq++), capturedAt: BigInt(Date.now()) * 1_000_000n });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await feed(() => frames.length > 2);
    const [first] = frames as [PointsFrame];
    const { data, count, colors } = pointsFrame((first.data[2] as number) - 1);
    expect(first).toMatchObject({ kind: 'points', count, data, ...(colors && { colors }) });
    await own.stop();
    const away = ({ logs }: typeof context) =>
      logs.some(({ message }) => message.includes('does not answer'));
    await feed(() => away(context) && away(read));
    await startMaster(port);
    const back = ({ logs }: typeof context) =>
      logs.some(({ message }) => message.includes('is back'));
    await feed(() => back(context) && back(read));
    const later = await reading(own, { topic: '/camera/points', as: 'points' });
    await feed(() => later.frames.length > 2);
    expect(later.frames.length).toBeGreaterThan(2);
  });

  it('ends with an error when the topic holds something else', async () => {
    const { error } = await reading(master, { topic: '/rosout' });
    rospy('ros1_writer.py', ['/other/image_raw', '32FC1', '10'], master);
    await until(() => error() !== undefined);
    expect(error()?.message).toMatch(/"\/rosout" has messages of rosgraph_msgs\/Log/);
  });
});
