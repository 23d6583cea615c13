import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { foxgloveMessageSchemas, generateProto } from '@foxglove/schemas/internal.js';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DepthFrame, ImageFrame, PointsFrame } from '../../src/core/frame.ts';
import { workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildCdrWriter } from '../support/fast-cdr.ts';
import { playFrames } from '../support/mcap.ts';
import { pythonWith } from '../support/python.ts';
import { type BagMessage, type BagOptions, ros2Schema, writeBag } from '../support/ros2-bag.ts';

const hex = (bytes: ArrayLike<number>) => Buffer.from(Uint8Array.from(bytes)).toString('hex');
const start = 1_700_000_000;

/** Two pixels: an orange one and a blue one. */
const rgb = [250, 128, 10, 20, 60, 200];
const bgr = [10, 128, 250, 200, 60, 20];
const floats = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const shorts = (values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

interface Said {
  readonly topic: string;
  readonly type: string;
  /** What the line of `write-cdr` says after the header. */
  fields(n: number): string;
}

const image =
  (encoding: string, step: number, data: ArrayLike<number>, bigendian = 0) =>
  () =>
    `1 2 ${encoding} ${bigendian} ${step} ${hex(data)}`;

const compressedDepth = async () => {
  const png = await sharp(Uint16Array.of(1500, 0), { raw: { width: 2, height: 1, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  return Buffer.concat([Buffer.alloc(12), png]);
};
const jpeg = () =>
  sharp(Uint8Array.from(rgb), { raw: { width: 2, height: 1, channels: 3 } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer();

/** What a RealSense driver, a webcam driver and others publish. */
async function topics(): Promise<Said[]> {
  const [png, jpg] = [hex(await compressedDepth()), hex(await jpeg())];
  return [
    { topic: '/camera/color/image_raw', type: 'Image', fields: image('rgb8', 6, rgb) },
    {
      topic: '/camera/color/camera_info',
      type: 'CameraInfo',
      fields: () => '1 2 610.5 611.25 0.5 0.25 -0.05',
    },
    { topic: '/camera/bgr/image_raw', type: 'Image', fields: image('bgr8', 8, [...bgr, 0, 0]) },
    { topic: '/camera/infra1/image_rect_raw', type: 'Image', fields: image('mono8', 2, [7, 9]) },
    {
      topic: '/usb_cam/yuv',
      type: 'Image',
      // Both pixels white.
      fields: image('yuv422', 4, [128, 235, 128, 235]),
    },
    {
      topic: '/camera/color/image_raw/compressed',
      type: 'CompressedImage',
      fields: () => `rgb8;_jpeg_compressed_bgr8 ${jpg}`,
    },
    {
      topic: '/camera/depth/image_rect_raw',
      type: 'Image',
      fields: image('16UC1', 4, shorts([1500, 0])),
    },
    {
      topic: '/zed/depth/depth_registered',
      type: 'Image',
      fields: image('32FC1', 8, floats([1.5, Number.NaN])),
    },
    {
      topic: '/swapped/depth',
      type: 'Image',
      fields: image('16UC1', 4, [0x05, 0xdc, 0, 0], 1),
    },
    {
      topic: '/camera/depth/image_rect_raw/compressedDepth',
      type: 'CompressedImage',
      fields: () => `16UC1;_compressedDepth_png ${png}`,
    },
    {
      topic: '/lidar/points',
      type: 'PointCloud2',
      fields: () => `2 ${hex(floats([1, 2, 3, Number.NaN, 0, 0]))}`,
    },
  ];
}

/** Three messages of each topic, 100 ms apart; the stamp is 20 ms before the time of recording. */
async function ros2Messages(): Promise<BagMessage[]> {
  const write = buildCdrWriter();
  const all = (await topics()).flatMap((said) => [0, 1, 2].map((n) => ({ ...said, n })));
  const lines = all.map(
    ({ type, fields, n }) => `${type} ${start} ${n * 100_000_000} camera_frame ${fields(n)}`,
  );
  const encoded = write(lines);
  const messages = all.map(({ topic, type, n }, i) => ({
    ...{ topic, schema: ros2Schema(type), messageEncoding: 'cdr' },
    logTime: BigInt(start) * 1_000_000_000n + BigInt(n * 100 + 20) * 1_000_000n,
    data: encoded[i] as Uint8Array,
  }));
  const imu = { topic: '/imu', schema: ros2Schema('Imu'), messageEncoding: 'cdr' };
  const first = messages[0] as BagMessage;
  return [...messages, { ...first, ...imu }].toSorted((a, b) => Number(a.logTime - b.logTime));
}

const asRos2Bag: BagOptions = {
  profile: 'ros2',
  library: 'libmcap 1.3.0',
  compression: 'zstd',
  channel: new Map([
    ['offered_qos_profiles', '- history: 3\n  depth: 0\n  reliability: 1\n  durability: 2\n'],
  ]),
  metadata: {
    name: 'rosbag2',
    metadata: new Map([['serialized_metadata', 'rosbag2_bagfile_information:\n  version: 6\n']]),
  },
};

describe.each([
  ['as ros2 bag writes them', asRos2Bag],
  ['with lz4', { ...asRos2Bag, compression: 'lz4' }],
  ['without compression', { ...asRos2Bag, compression: '' }],
  ['without chunks', { ...asRos2Bag, compression: 'no chunks' }],
  [
    'with a summary that names no topics',
    { ...asRos2Bag, summary: { repeatChannels: false, repeatSchemas: false } },
  ],
] as const)('files %s, written by other libraries', (_, options) => {
  let path = '';
  beforeAll(async () => {
    path = join(workplace(), 'bag_0.mcap');
    await writeBag(path, await ros2Messages(), options);
  });

  it.each([
    ['/camera/color/image_raw', rgb],
    ['/camera/bgr/image_raw', rgb],
    ['/camera/infra1/image_rect_raw', [7, 7, 7, 9, 9, 9]],
    ['/usb_cam/yuv', [255, 255, 255, 255, 255, 255]],
    ['/camera/color/image_raw/compressed', rgb],
  ])('pictures of %s', async (topic, expected) => {
    const frames = (await playFrames({ path, topic })) as ImageFrame[];
    expect(frames.map(({ seq, pts }) => [seq, pts])).toEqual([
      [0, 0n],
      [1, 100_000_000n],
      [2, 200_000_000n],
    ]);
    for (const { width, height, format, data } of frames) {
      expect({ width, height, format }).toEqual({ width: 2, height: 1, format: 'rgb' });
      const differences = [...data].map((value, i) => Math.abs(value - (expected[i] as number)));
      expect(Math.max(...differences)).toBeLessThanOrEqual(topic.endsWith('compressed') ? 3 : 0);
    }
  });

  it.each([
    '/camera/depth/image_rect_raw',
    '/zed/depth/depth_registered',
    '/swapped/depth',
    '/camera/depth/image_rect_raw/compressedDepth',
  ])('depth of %s', async (topic) => {
    const frames = (await playFrames({ path, topic, as: 'depth' })) as DepthFrame[];
    expect(frames.map(({ data }) => [...data])).toEqual([0, 1, 2].map(() => [1.5, 0]));
  });

  it('points', async () => {
    const frames = (await playFrames({ path, as: 'points' })) as PointsFrame[];
    expect(frames.map(({ count, data }) => [count, ...data])).toEqual(
      [0, 1, 2].map(() => [1, 1, 2, 3]),
    );
  });

  it('guesses the topic, and says so', async () => {
    const context = testContext({ baseDirectory: dirname(path) });
    const [frame] = (await playFrames({ path }, context)) as [ImageFrame];
    expect([...frame.data]).toEqual(rgb);
    expect(context.logs[0]).toMatchObject({ level: 'info' });
    expect(context.logs[0]?.message).toMatch(
      /^"bag_0\.mcap": reads \/camera\/color\/image_raw \(\d messages\); set "topic" for another one: .*\/camera\/bgr\/image_raw/,
    );
  });

  it('takes the intrinsics beside it, and says that the lens is taken for straight', async () => {
    const context = testContext({ baseDirectory: dirname(path) });
    const frames = await playFrames({ path, topic: '/camera/color/image_raw' }, context);
    expect(frames.at(-1)?.intrinsics).toEqual({ fx: 610.5, fy: 611.25, cx: 0.5, cy: 0.25 });
    const warnings = context.logs.filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('the lens of this camera bends its pictures'),
    ]);
  });

  it('says what there is when the topic is wrong', async () => {
    await expect(playFrames({ path, topic: '/imu' })).rejects.toThrow(
      /topic "\/imu" of .* \(sensor_msgs\/msg\/Imu\) has no pictures, but nothing that can be read/,
    );
    await expect(playFrames({ path, topic: '/zed/depth/depth_registered' })).rejects.toThrow(
      /has no pictures, but "as: depth"/,
    );
    await expect(playFrames({ path, as: 'data' })).rejects.toThrow(
      /has no topic with data that can be read: it has .*; set "as: image" or "as: depth" or "as: points"/,
    );
  });
});

describe('files as Foxglove writes them', () => {
  /** Messages of protoc’s own making: the schemas compiled, the messages serialized in Python. */
  function protobufMessages(): BagMessage[] {
    const folder = workplace();
    mkdirSync(join(folder, 'foxglove'));
    const names = ['RawImage', 'CompressedImage', 'CameraCalibration'] as const;
    for (const name of names) {
      const text = generateProto(foxgloveMessageSchemas[name], []);
      writeFileSync(join(folder, 'foxglove', `${name}.proto`), text);
    }
    const script = `
import sys, json, subprocess
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
folder, values = sys.argv[1], json.loads(sys.stdin.read())
out = []
for name, fields in values:
    subprocess.run(["protoc", "-I" + folder, "--include_imports", "--descriptor_set_out=" + folder + "/d",
                    folder + "/foxglove/" + name + ".proto"], check=True)
    schema = open(folder + "/d", "rb").read()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema).file:
        pool.Add(file)
    kind = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("foxglove." + name))
    m = kind()
    m.timestamp.seconds, m.timestamp.nanos, m.frame_id = 1700000000, 7, "camera"
    for key, value in fields.items():
        if isinstance(value, list): getattr(m, key).extend(value)
        else: setattr(m, key, bytes.fromhex(value) if key == "data" else value)
    out.append([name, schema.hex(), m.SerializeToString().hex()])
print(json.dumps(out))
`;
    const size = { width: 2, height: 1 };
    const values = [
      ['RawImage', { ...size, encoding: 'bgr8', step: 6, data: hex(bgr) }],
      ['CompressedImage', { format: 'jpeg', data: 'ffd8' }],
      ['CameraCalibration', { ...size, K: [5, 0, 0.5, 0, 6, 0.25, 0, 0, 1] }],
    ];
    const output = execFileSync(pythonWith('google.protobuf'), ['-c', script, folder], {
      input: JSON.stringify(values),
      encoding: 'utf8',
      timeout: 60_000,
    });
    const topics = ['/front/image', '/back/image', '/front/calibration'];
    return (JSON.parse(output) as [string, string, string][]).map(([name, schema, data], i) => ({
      topic: topics[i] as string,
      schema: {
        ...{ name: `foxglove.${name}`, encoding: 'protobuf' },
        data: Buffer.from(schema, 'hex'),
      },
      messageEncoding: 'protobuf',
      logTime: BigInt(start) * 1_000_000_000n,
      data: Buffer.from(data, 'hex'),
    }));
  }

  let path = '';
  beforeAll(async () => {
    path = join(workplace(), 'foxglove.mcap');
    const json = {
      ...{ timestamp: { sec: start, nsec: 0 }, frame_id: 'x', width: 2, height: 1, step: 8 },
      ...{ encoding: '32FC1', data: Buffer.from(floats([2.5, 0])).toString('base64') },
    };
    const depth: BagMessage = {
      topic: '/depth',
      schema: { name: 'foxglove.RawImage.json', encoding: 'jsonschema', data: Buffer.from('{}') },
      messageEncoding: 'json',
      logTime: BigInt(start) * 1_000_000_000n,
      data: Buffer.from(JSON.stringify(json)),
    };
    const named = { ...depth, schema: { ...depth.schema, name: 'foxglove.RawImage' } };
    const [image, broken, calibration] = protobufMessages() as [BagMessage, BagMessage, BagMessage];
    const options = {
      profile: '',
      library: 'foxglove-sdk-python/v0.14',
      compression: 'lz4',
    } as const;
    await writeBag(
      path,
      [calibration, image, broken, { ...image, logTime: image.logTime + 1n }],
      options,
    );
    await writeBag(join(dirname(path), 'json.mcap'), [named], options);
    const other = (change: Partial<typeof json>): BagMessage => ({
      ...named,
      data: Buffer.from(JSON.stringify({ ...json, ...change })),
    });
    const bayer = other({ encoding: 'bayer_rggb8' });
    await writeBag(join(dirname(path), 'bayer.mcap'), [bayer], options);
    const fraction = other({ encoding: 'mono8', width: 1.5 });
    await writeBag(join(dirname(path), 'fraction.mcap'), [fraction], options);
  });

  it('protobuf pictures and calibrations', async () => {
    const frames = (await playFrames({ path, topic: '/front/image' })) as ImageFrame[];
    expect(frames.map(({ data }) => [...data])).toEqual([rgb, rgb]);
    expect(frames[0]?.intrinsics).toEqual({ fx: 5, fy: 6, cx: 0.5, cy: 0.25 });
  });

  it('JSON depth', async () => {
    const [frame] = await playFrames({ path: join(dirname(path), 'json.mcap'), as: 'depth' });
    expect([...(frame as DepthFrame).data]).toEqual([2.5, 0]);
  });

  it('an encoding that is not supported is named', async () => {
    const bayer = join(dirname(path), 'bayer.mcap');
    const problem = 'pixel encoding "bayer_rggb8" is not supported; supported: rgb8';
    await expect(playFrames({ path: bayer })).rejects.toThrow(problem);
    await expect(playFrames({ path: bayer, topic: '/depth' })).rejects.toThrow(problem);
  });

  it('a width that is no whole number is refused', async () => {
    const fraction = join(dirname(path), 'fraction.mcap');
    await expect(playFrames({ path: fraction })).rejects.toThrow('an image of 1.5 × 1 pixels');
  });

  it('a picture that cannot be decoded ends the run, or is skipped and counted', async () => {
    const topic = '/back/image';
    await expect(playFrames({ path, topic })).rejects.toThrow(
      /a frame of .* cannot be read: a picture that cannot be decoded: .*; set "on-error: skip"/,
    );
    const context = testContext({ name: 'mcap' });
    await expect(playFrames({ path, topic, 'on-error': 'skip' }, context)).rejects.toThrow(
      'the recording has no frame',
    );
    expect([...context.drops]).toEqual([['unreadable', 1]]);
  });
});
