import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { sleep, systemClock } from '../../src/core/clock.ts';
import type { Sink } from '../../src/core/component.ts';
import type { DepthFrame, Frame, ImageFrame } from '../../src/core/frame.ts';
import { SinkLost } from '../../src/core/sink-lost.ts';
import { ros1 } from '../../src/sinks/ros1.ts';
import { dataFrame, pointsFrame } from '../../src/testing/sample-frames.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { hasRos1, type Master, printed, program, rospy, startMaster } from '../support/ros1.ts';

if (!hasRos1)
  console.warn('ROS 1 is not installed: its tests are skipped; "make test" installs it');

async function opened(master: Master, options: Partial<z.input<typeof ros1.options>> = {}) {
  const context = testContext({ name: 'ros1' });
  onTestFinished(() => context.close());
  const parsed = ros1.options.parse({ master: master.uri, host: '127.0.0.1', ...options });
  const sink = (await ros1.create(parsed, context)) as Sink;
  return { sink, context };
}

/** Writes a frame every 1/30 s until the condition holds; gives the number of frames. */
async function feed(sink: Sink, frameOf: (seq: number) => Frame[], until: () => boolean) {
  const start = performance.now();
  let seq = 0;
  for (; !until(); seq++) {
    if (performance.now() > start + 90_000) throw new Error(`not after 90 s: ${until}`);
    for (const frame of frameOf(seq)) await sink.write(frame);
    await sleep(systemClock, start + (seq * 1000) / 30 - performance.now());
  }
  return seq;
}

interface Printed {
  readonly topic: string;
  readonly seq: number;
  readonly stamp: string;
  readonly [key: string]: unknown;
}

const intrinsics = { fx: 8, fy: 8, cx: 4, cy: 3 };
const now = () => BigInt(Date.now()) * 1_000_000n;
const depth = (seq: number): DepthFrame => ({
  ...depthFrame(8, 6, seq, (x, y) => (x === 0 ? 0 : 1 + x + y)),
  ...{ capturedAt: now(), image: { ...imageFrame(8, 6, seq), capturedAt: now() }, intrinsics },
});
const md5 = (bytes: ArrayBufferView) =>
  createHash('md5')
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest('hex');

describe.skipIf(!hasRos1)('ros1', () => {
  let master: Master;
  beforeAll(async () => {
    // Hooks that are registered in a hook are not called.
    master = await startMaster(undefined, () => {});
  });
  afterAll(() => master?.stop());

  it('is read by rospy and rostopic, with one stamp for all of a frame', async () => {
    const { sink, context } = await opened(master, { mount: { position: [1, 0, 0] } });
    const topics = {
      '/camera/depth/image_raw': 'Image',
      '/camera/depth/camera_info': 'CameraInfo',
      '/camera/image_raw': 'Image',
      '/camera/points': 'PointCloud2',
      '/camera/data': 'String',
      '/tf_static': 'TFMessage',
    };
    const frames = new Map<number, DepthFrame>();
    const made = (seq: number) => {
      frames.set(seq, depth(seq));
      return [frames.get(seq) as Frame, pointsFrame(seq), dataFrame(seq)];
    };
    for (const frame of made(0)) await sink.write(frame);
    // The transforms were published before anybody subscribed.
    const reader = rospy('ros1_reader.py', ['0', ...Object.entries(topics).flat()], master);
    const hz = program(
      '/usr/bin/python3',
      ['-u', '/usr/bin/rostopic', 'hz', '/camera/depth/image_raw'],
      master.env,
    );
    const rates = () =>
      [...hz.running.stdout.matchAll(/average rate: ([\d.]+)/g)].map(([, rate]) => Number(rate));
    const of = (topic: string) => printed<Printed>(reader).filter((one) => one.topic === topic);
    const pairs = () => {
      const depths = new Set(of('/camera/depth/image_raw').map(({ seq }) => seq));
      return of('/camera/depth/camera_info').filter(({ seq }) => depths.has(seq)).length;
    };
    await feed(
      sink,
      (seq) => made(seq + 1),
      () =>
        rates().length > 1 &&
        Object.keys(topics).every(
          (topic) => of(topic).length > 5 || (topic === '/tf_static' && of(topic).length > 0),
        ) &&
        pairs() > 3,
    );
    // A busy machine loses some of them, and none comes twice.
    const read = of('/camera/depth/image_raw');
    for (const { seq, stamp, md5: digest, ...facts } of read) {
      const { data, capturedAt } = frames.get(seq) as DepthFrame;
      expect(BigInt(stamp)).toBe(capturedAt);
      expect(facts).toMatchObject({ encoding: '32FC1', size: [8, 6, 32] });
      expect(facts.frame).toBe('camera_optical_frame');
      // REP 118: what is unknown is NaN.
      expect(digest).toBe(md5(data.map((metres) => metres || Number.NaN)));
    }
    const seqs = read.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    const stamps = new Map(read.map(({ seq, stamp }) => [seq, stamp]));
    const infos = of('/camera/depth/camera_info').filter(({ seq }) => stamps.has(seq));
    expect(infos.length).toBeGreaterThan(3);
    for (const { seq, stamp, K } of infos) {
      expect(stamp).toBe(stamps.get(seq));
      expect(K).toEqual([8, 0, 4, 0, 8, 3, 0, 0, 1]);
    }
    const [picture] = of('/camera/image_raw') as [Printed];
    const { image } = frames.get(picture.seq) as DepthFrame;
    expect(picture).toMatchObject({ encoding: 'rgb8', md5: md5((image as ImageFrame).data) });
    const [cloud] = of('/camera/points') as [Printed];
    const points = pointsFrame(cloud.seq);
    expect((cloud.points as number[][]).flat()).toEqual([...points.data]);
    expect(JSON.parse(of('/camera/data')[0]?.data as string)).toBeDefined();
    expect(of('/tf_static')[0]?.frames).toEqual([
      ['base_link', 'camera_link'],
      ['camera_link', 'camera_optical_frame'],
    ]);
    expect(context.report()).toMatchObject({ notSent: 0 });
  });

  it('gives millimetres and JPEG, and has relative depth on another topic', async () => {
    const { sink } = await opened(master, { depth: '16UC1', pictures: 'jpeg' });
    const list = ['/camera/depth/image_raw', 'Image', '/camera/image_raw/compressed'];
    const reader = rospy('ros1_reader.py', ['0', ...list, 'CompressedImage'], master);
    const of = (topic: string) => printed<Printed>(reader).find((one) => one.topic === topic);
    await feed(
      sink,
      (seq) => [depth(seq)],
      () => of(list[0] as string) !== undefined && of(list[2] as string) !== undefined,
    );
    const { data } = depth(0);
    expect(of('/camera/depth/image_raw')).toMatchObject({
      ...{ encoding: '16UC1', size: [8, 6, 16] },
      md5: md5(Uint16Array.from(data, (metres) => metres * 1000)),
    });
    expect(of('/camera/image_raw/compressed')).toMatchObject({ format: 'jpeg' });

    const relative: DepthFrame = { ...depth(0), unit: 'relative' };
    await expect((async () => sink.write(relative))()).rejects.toThrow(/relative/);
    const other = await opened(master);
    await other.sink.write(relative);
    expect(other.context.report()).toMatchObject({ unit: 'relative' });
    const topics = program('/usr/bin/rostopic', ['list'], master.env);
    const { stdout } = await topics.running.finished;
    expect(stdout).toContain('/camera/relative_depth/image_raw');
  });

  it('lets a slow subscriber lose its own frames only', async () => {
    const { sink, context } = await opened(master);
    const topic = ['/camera/depth/image_raw', 'Image'];
    const slow = rospy('ros1_reader.py', ['1', ...topic], master);
    const fast = rospy('ros1_reader.py', ['0', ...topic], master);
    const large = (seq: number) => [
      { ...depthFrame(640, 480, seq, () => 2), capturedAt: now() } as Frame,
    ];
    const both = () => [slow, fast].every((one) => printed(one).length > 0);
    await feed(sink, large, both);
    // rospy itself keeps one message while it is busy, so the fast one is not sent more than it reads.
    const got = (seq: number) => printed<Printed>(fast).some((one) => one.seq === seq);
    for (let seq = 1000; seq < 1060; seq++) {
      for (const frame of large(seq)) await sink.write(frame);
      await until(() => got(seq));
    }
    const { notSent } = context.report() as { notSent: number };
    expect(notSent).toBeGreaterThan(10);
    expect(printed(slow).length).toBeLessThan(60);
  });

  it('finds a master again that was restarted, and ends when a node takes its name', async () => {
    const first = await startMaster();
    const { sink, context } = await opened(first, { node: 'front' });
    const { port } = new URL(first.uri);
    await sink.write(depth(0));
    await first.stop();
    await until(() => context.logs.some(({ message }) => message.includes('does not answer')));
    await sink.write(depth(1));
    const second = await startMaster(Number(port));
    await until(() => context.logs.some(({ message }) => message.includes('is back')));
    const reader = rospy('ros1_reader.py', ['0', '/camera/depth/image_raw', 'Image'], second);
    await feed(
      sink,
      (seq) => [depth(seq + 2)],
      () => printed(reader).length > 0,
    );

    const rival = await opened(second, { node: 'front' });
    await rival.sink.write(depth(0));
    let lost: unknown;
    await feed(
      { write: async (frame) => sink.write(frame)?.catch((error) => (lost = error)) } as Sink,
      (seq) => [depth(seq)],
      () => lost !== undefined,
    );
    expect(lost).toBeInstanceOf(SinkLost);
    expect((lost as Error).message).toContain('/front');
  });

  it('says that there is no master', async () => {
    const nobody = { uri: 'http://127.0.0.1:9', env: {}, stop: async () => {} };
    await expect(opened(nobody)).rejects.toThrow(/no ROS master answers at http:.*start roscore/);
  });
});

it('warns of nodes that others reach', () => {
  const warnings = (options: object) => ros1.warnings?.(ros1.options.parse(options), '.');
  expect(warnings({ master: 'http://192.0.2.7:11311' })).toEqual([
    expect.stringContaining('no encryption'),
  ]);
  expect(warnings({ master: 'http://127.0.0.1:11311' })).toEqual([]);
});
