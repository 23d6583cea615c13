import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { foxgloveDecoder } from '../../src/foxglove/foxglove-decoder.ts';
import { FoxgloveEncoder } from '../../src/foxglove/foxglove-encoder.ts';
import * as encoders from '../../src/imaging/encode.ts';
import type { MessageEncoder } from '../../src/ros/codec.ts';
import { type FrameMessageOptions, FrameMessages } from '../../src/ros/frame-messages.ts';
import { type MessageDecoder, ros2Decoder } from '../../src/ros/message-decoder.ts';
import type { ImageMessage, PointCloud2Message } from '../../src/ros/messages.ts';
import { depthOf, pictureOf } from '../../src/ros/pixel-encodings.ts';
import { Ros2Encoder } from '../../src/ros/ros2-encoder.ts';
import { compressedPictureOf, intrinsicsOf, pointsOf } from '../../src/ros/to-frame.ts';
import { mountTransforms } from '../../src/ros/transforms.ts';
import { depthFrame, imageFrame, pointsFrame } from '../../src/testing/sample-frames.ts';
import { pythonWith } from '../support/python.ts';

const options: FrameMessageOptions = {
  ...{ namespace: '', frameId: 'optical', quality: 90 },
  ...{ depth: '32FC1', pictures: 'png' },
};

/** Every message of a depth frame and of points, and what it becomes again. */
async function throughBytes(
  encoder: MessageEncoder,
  decoder: (encoded: ReturnType<MessageEncoder['encode']>) => MessageDecoder | undefined,
) {
  const image = { ...imageFrame(6, 4), intrinsics: { fx: 5, fy: 6, cx: 2.5, cy: 1.5 } };
  const depth = { ...depthFrame(6, 4, 0, (x, y) => x + y), image };
  const points = { ...pointsFrame(), colors: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const make = new FrameMessages(options, encoders);
  const transforms = mountTransforms(
    { parent: 'a', frame: 'b', position: [1, 2, 3], rotation: [10, 20, 30] },
    'optical',
    7n,
  );
  const all = [
    ...(await make.of(depth)),
    ...(await make.of(points)),
    ...[{ topic: '/tf_static', type: 'tf2_msgs/TFMessage' as const, message: { transforms } }],
  ];
  const read = new Map<string, unknown>();
  for (const { topic, type, message } of all) {
    const encoded = encoder.encode(type, message as never);
    const found = decoder(encoded);
    expect(found?.type).toBe(type);
    read.set(topic, found?.decode(encoded.data));
  }
  return { read, all, image, depth, points };
}

describe.each([
  ['ros2', new Ros2Encoder(), ({ schema }: { schema: never }) => ros2Decoder(schema)],
  [
    'foxglove',
    new FoxgloveEncoder(),
    (encoded: { schema: never; messageEncoding: string }) =>
      foxgloveDecoder(encoded.schema, encoded.messageEncoding),
  ],
] as const)('%s', (_, encoder, decoder) => {
  it('gives back what was written', async () => {
    const { read, all, image, depth, points } = await throughBytes(encoder, decoder as never);
    expect([...depthOf(read.get('/depth/image_raw') as ImageMessage).data]).toEqual([
      ...depth.data,
    ]);
    const picture = await compressedPictureOf(read.get('/image_raw/compressed') as never);
    expect(picture.data).toEqual(image.data);
    expect(intrinsicsOf(read.get('/camera_info') as never)).toEqual(image.intrinsics);
    const { count, data, colors } = pointsOf(read.get('/points') as PointCloud2Message);
    expect({ count, data, colors }).toMatchObject({ count: 2, data: points.data });
    expect(colors).toEqual(points.colors);
    const sent = all.find(({ topic }) => topic === '/tf_static')?.message;
    expect(read.get('/tf_static')).toEqual(sent);
    for (const message of read.values()) {
      const { header } = message as { header?: object };
      const stamp = { sec: 1_700_000_000, nanosec: 0 };
      if (header) expect(header).toEqual({ stamp, frame_id: 'optical' });
    }
  });

  it('JSON', () => {
    const value = { value: [1, { a: 'ü' }] };
    const schema = { name: 'x.Y', schema: { type: 'object' } };
    const encoded = encoder.encodeJson(value, schema);
    const found = decoder(encoded as never);
    expect(found?.type).toBe('json');
    expect(found?.decode(encoded.data)).toEqual(value);
  });
});

describe('foxglove', () => {
  it('protobuf of Debian reads it by the schema alone', () => {
    const image = imageFrame(2, 1);
    const header = { stamp: { sec: 5, nanosec: 6 }, frame_id: 'optical' };
    const { schema, data } = new FoxgloveEncoder().encode('sensor_msgs/Image', {
      ...{ header, width: 2, height: 1, encoding: 'rgb8', step: 6, is_bigendian: 0 },
      data: image.data,
    });
    const script = `
import sys, json
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(bytes.fromhex(sys.argv[1])).file:
    pool.Add(file)
kind = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(sys.argv[2]))
m = kind.FromString(bytes.fromhex(sys.argv[3]))
print(json.dumps([m.timestamp.seconds, m.timestamp.nanos, m.frame_id, m.width, m.height,
                  m.encoding, m.step, m.data.hex()]))
`;
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const output = execFileSync(
      pythonWith('google.protobuf'),
      ['-c', script, hex(schema.data), schema.name, hex(data)],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect(JSON.parse(output)).toEqual([5, 6, 'optical', 2, 1, 'rgb8', 6, hex(image.data)]);
  });

  it('JSON of others: bytes are base64', () => {
    const image = {
      ...{ timestamp: { sec: 1, nsec: 2 }, frame_id: 'x', width: 1, height: 1 },
      ...{ encoding: 'rgb8', step: 3, data: Buffer.from([1, 2, 3]).toString('base64') },
    };
    const schema = { name: 'foxglove.RawImage', encoding: 'jsonschema', data: new Uint8Array() };
    const decoder = foxgloveDecoder(schema, 'json');
    const message = decoder?.decode(Buffer.from(JSON.stringify(image))) as ImageMessage;
    expect(message.header).toEqual({ stamp: { sec: 1, nanosec: 2 }, frame_id: 'x' });
    expect([...pictureOf(message).data]).toEqual([1, 2, 3]);
  });

  it('knows no other messages', () => {
    const schema = { name: 'other.Type', encoding: 'protobuf', data: new Uint8Array() };
    expect(foxgloveDecoder(schema, 'protobuf')).toBeUndefined();
  });
});
