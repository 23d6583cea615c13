import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { mcap } from '../../src/sinks/mcap.ts';
import {
  dataFrame,
  depthFrame,
  imageFrame,
  pointsFrame,
  sampleFrame,
} from '../../src/testing/sample-frames.ts';
import { VirtualClock } from '../../src/testing.ts';
import { workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildCdrReader } from '../support/fast-cdr.ts';
import { framesIn, readMcap, recordFrames } from '../support/mcap.ts';
import { ticker } from '../support/parts.ts';

const epochSeconds = 1_700_000_000;
const intrinsics = { fx: 14, fy: 14, cx: 7.5, cy: 5.5 };

async function recorded(frame: Frame | readonly Frame[], options = {}) {
  const path = join(workplace(), 'run.mcap');
  await recordFrames(path, [frame].flat() as Frame[], options);
  return { path, messages: await readMcap(path) };
}

describe('what is in a file', () => {
  const read = buildCdrReader();

  it('is read by the CDR library of ROS 2: pictures, depth and calibrations of one stamp', async () => {
    const frame = { ...imageFrame(16, 12, 3), intrinsics };
    const depth = {
      ...depthFrame(16, 12, 3, (x) => (x === 0 ? 0 : x / 4)),
      ...{ intrinsics, image: frame, picture: imageFrame(32, 24, 3) },
    };
    const { messages } = await recorded(depth, { 'frame-id': 'front' });
    const values = messages
      .filter(({ schema }) => schema.startsWith('sensor_msgs/'))
      .map(({ topic, schema, data }) => ({ topic, ...read(schema, data) }));
    expect(values.map(({ topic }) => topic).toSorted()).toEqual([
      '/camera/camera_info',
      '/camera/depth/camera_info',
      '/camera/depth/image_raw',
      '/camera/full/image_raw',
      '/camera/image_raw',
    ]);
    for (const value of values) {
      expect(value).toMatchObject({ sec: epochSeconds, nanosec: 100_000_000, frame_id: 'front' });
    }
    const of = (topic: string) => values.find((value) => value.topic === topic) as never;
    expect(of('/camera/depth/camera_info')).toMatchObject({ width: 16, height: 12 });
    expect(of('/camera/image_raw')).toMatchObject({ encoding: 'rgb8', data: [...frame.data] });
    const image = of('/camera/depth/image_raw') as { data: number[]; encoding: string };
    expect(image.encoding).toBe('32FC1');
    const metres = new Float32Array(Uint8Array.from(image.data).buffer);
    expect([...metres.subarray(0, 3)]).toEqual([Number.NaN, 0.25, 0.5]);
  });

  it('has capture times, and when each was written', async () => {
    const context = testContext();
    const { messages } = await recorded(imageFrame(16, 12, 3));
    const now = context.clock.wall();
    for (const { topic, sequence, logTime, publishTime } of messages) {
      expect(logTime).toBe(BigInt(epochSeconds) * 1_000_000_000n + 100_000_000n);
      if (!topic.endsWith('ledger')) expect(sequence).toBe(3);
      expect(Number(now - publishTime) / 1e9).toBeLessThan(60);
    }
  });

  it.each([
    ['jpeg', 'ffd8ff'],
    ['png', '89504e47'],
  ] as const)('pictures as %s', async (pictures, magic) => {
    const { messages } = await recorded(imageFrame(16, 12), { pictures });
    const message = messages.find(({ topic }) => topic === '/camera/image_raw/compressed');
    const { format, data } = read(
      'sensor_msgs/msg/CompressedImage',
      message?.data as Uint8Array,
    ) as { format: string; data: number[] };
    expect(format).toBe(pictures);
    expect(Buffer.from(data).toString('hex').startsWith(magic)).toBe(true);
  });

  it('names topics as it is told', async () => {
    const { messages } = await recorded(imageFrame(16, 12), { namespace: '/robot/front' });
    expect(new Set(messages.map(({ topic }) => topic))).toEqual(
      new Set([
        '/robot/front/image_raw',
        '/robot/front/depthline/frame',
        '/robot/front/depthline/ledger',
      ]),
    );
  });

  it('has the ledger of the run, the last one when all frames are accounted for', async () => {
    const folder = workplace();
    const pipeline = definePipeline({
      source: ticker({ frames: 5, periodMs: 1 }),
      sinks: [mcap({ path: 'run.mcap', encoding: 'foxglove' })],
      baseDirectory: folder,
    });
    await runPipeline(pipeline);
    const messages = await readMcap(join(folder, 'run.mcap'));
    const ledgers = messages
      .filter(({ schema }) => schema === 'depthline.Ledger')
      .map(({ data }) => JSON.parse(Buffer.from(data).toString()) as object);
    expect(ledgers.at(-1)).toMatchObject({
      captured: 5,
      branches: [{ name: 'mcap', captured: 5, delivered: 5, dropped: [], failed: 0, inFlight: 0 }],
      stages: [{ stage: 'ticker', entered: 5 }, { stage: 'mcap queue' }, { stage: 'mcap' }],
    });
  });

  it('has the time that a frame took in each stage', async () => {
    const frame = { ...depthFrame(), timings: { 'estimate-depth': 4.5 } };
    const { messages } = await recorded(frame, { encoding: 'foxglove' });
    const record = messages.find(({ schema }) => schema === 'depthline.Frame');
    expect(JSON.parse(Buffer.from(record?.data ?? []).toString())).toMatchObject({
      v: 1,
      timings: { 'estimate-depth': 4.5 },
    });
  });
});

describe('files', () => {
  const names = (folder: string) => readdirSync(folder).toSorted();

  it('never replaces a file', async () => {
    const folder = workplace({ 'run.mcap': 'something else' });
    const context = await recordFrames(join(folder, 'run.mcap'), [imageFrame()]);
    expect(names(folder)).toEqual(['run-2.mcap', 'run.mcap']);
    expect(readFileSync(join(folder, 'run.mcap'), 'utf8')).toBe('something else');
    expect(context.logs).toContainEqual({
      level: 'info',
      message: 'earlier recordings exist; this one is run-2.mcap',
    });
    await expect(recordFrames(join(folder, 'run.mcap'), [], { existing: 'fail' })).rejects.toThrow(
      'set "existing: append"',
    );
  });

  it('takes another number if its name is taken while it records', async () => {
    const folder = workplace();
    const context = testContext({ baseDirectory: folder });
    const sink = await mcap.create(mcap.options.parse({ path: 'run.mcap' }), context);
    await sink?.write(imageFrame());
    expect(names(folder)).toEqual(['run.recording.mcap']);
    writeFileSync(join(folder, 'run.mcap'), 'mine');
    await context.close();
    expect(readFileSync(join(folder, 'run.mcap'), 'utf8')).toBe('mine');
    expect(await framesIn(join(folder, 'run-2.mcap'))).toBe(1);
  });

  it('begins a new file by size', async () => {
    const folder = workplace();
    const frames = Array.from({ length: 20 }, (_, seq) => imageFrame(64, 48, seq));
    const context = await recordFrames(join(folder, 'run.mcap'), frames, {
      ...{ compression: 'none', chunk: '1kB', 'rotate-size': '50kB' },
    });
    const files = names(folder);
    expect(files.length).toBeGreaterThan(2);
    expect(context.report()).toMatchObject({ frames: 20, files: files.length });
    const counts = await Promise.all(files.map((name) => framesIn(join(folder, name))));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
    for (const name of files.slice(1))
      expect(readFileSync(join(folder, name)).length).toBeLessThan(100_000);
  });

  it('begins a new file by time, with the time in its name', async () => {
    const folder = workplace();
    const clock = new VirtualClock();
    const context = testContext({ baseDirectory: folder, clock });
    const path = '%Y/run-%H%M%S.mcap';
    const options = mcap.options.parse({ path, 'rotate-every': '10s' });
    const sink = await mcap.create(options, context);
    for (let seq = 0; seq < 25; seq++) {
      const capturedAt = BigInt(epochSeconds + seq) * 1_000_000_000n;
      await sink?.write({ ...imageFrame(8, 6, seq), capturedAt });
      await clock.advance(1000);
    }
    await context.close();
    const year = new Date(epochSeconds * 1000).getFullYear();
    const files = names(join(folder, String(year)));
    const time = (seconds: number) =>
      new Date((epochSeconds + seconds) * 1000).toTimeString().slice(0, 8).replaceAll(':', '');
    expect(files).toEqual([0, 10, 20].map((at) => `run-${time(at)}.mcap`).toSorted());
    const counts = files.map((name) => framesIn(join(folder, String(year), name)));
    expect(await Promise.all(counts)).toEqual([10, 10, 5]);
  });

  it('ends a chunk after a second, so that slow data is in the file', async () => {
    const folder = workplace();
    const clock = new VirtualClock();
    const context = testContext({ baseDirectory: folder, clock });
    const sink = await mcap.create(mcap.options.parse({ path: 'run.mcap' }), context);
    const size = () => readFileSync(join(folder, 'run.recording.mcap')).length;
    await sink?.write(dataFrame(0));
    const before = size();
    await clock.advance(1000);
    await expect.poll(size).toBeGreaterThan(before);
    await context.close();
  });

  it('leaves no file behind if no frame came', async () => {
    const folder = workplace();
    await recordFrames(join(folder, 'run.mcap'), []);
    expect(names(folder)).toEqual([]);
  });

  it('two runs cannot record to one path at the same time', async () => {
    const folder = workplace();
    const context = testContext({ baseDirectory: folder });
    await mcap.create(mcap.options.parse({ path: 'run.mcap' }), context);
    await expect(recordFrames(join(folder, 'run.mcap'), [])).rejects.toThrow('is in use');
    await context.close();
  });
});

describe('options', () => {
  it.each([
    [{ path: 'run.mkv' }, 'must end in .mcap'],
    [{ path: '%Q.mcap' }, 'unknown time field'],
    [{ path: 'a.mcap', 'rotate-size': '500' }, 'is not a size: write a number and a unit'],
    [{ path: 'a.mcap', 'rotate-every': 10 }, 'needs a unit'],
    [{ path: 'a.mcap', namespace: 'camera' }, 'such as /camera/front'],
    [{ path: 'a.mcap', 'frame-id': 'é' }, 'must be letters'],
  ])('%j: %s', (options, message) => {
    const result = mcap.options.safeParse(options);
    expect(result.error?.issues[0]?.message).toContain(message);
  });
});

describe('every kind of frame', () => {
  it.each(['image', 'depth', 'points', 'data'] as const)('%s in both encodings', async (kind) => {
    for (const encoding of ['ros2', 'foxglove'] as const) {
      const { path } = await recorded([sampleFrame(kind, 0), sampleFrame(kind, 1)], { encoding });
      expect(await framesIn(path)).toBe(2);
    }
    expect(pointsFrame().kind).toBe('points');
  });
});
