import { describe, expect, it } from 'vitest';
import * as encoders from '../../src/imaging/encode.ts';
import { type FrameMessageOptions, FrameMessages } from '../../src/ros/frame-messages.ts';
import { Ros2Encoder } from '../../src/ros/ros2-encoder.ts';
import { mountTransforms } from '../../src/ros/transforms.ts';
import { depthFrame, imageFrame, pointsFrame } from '../../src/testing/sample-frames.ts';
import { buildCdrReader } from '../support/fast-cdr.ts';

const read = buildCdrReader();
const encoder = new Ros2Encoder();
const options: FrameMessageOptions = {
  ...{ namespace: '/camera', frameId: 'optical', quality: 90 },
  ...{ depth: '32FC1', pictures: 'raw' },
};
const intrinsics = { fx: 14.25, fy: 15.5, cx: 7.5, cy: 5.25 };

async function readAll(frame: Parameters<FrameMessages['of']>[0], changed = {}) {
  const messages = await new FrameMessages({ ...options, ...changed }, encoders).of(frame);
  return messages.map(({ topic, type, message }) => {
    const { schema, data } = encoder.encode(type, message as never);
    return { topic, type: schema.name, size: data.length, value: read(schema.name, data) };
  });
}

describe('messages as Fast CDR of ROS 2 reads them', () => {
  const stamp = { sec: 1_700_000_000, nanosec: 33_333_333, frame_id: 'optical' };

  it('a picture and its calibration, with the capture time', async () => {
    const frame = { ...imageFrame(5, 3, 1), intrinsics };
    const [image, info] = await readAll(frame);
    expect(image).toMatchObject({ topic: '/camera/image_raw', type: 'sensor_msgs/msg/Image' });
    expect(image?.value).toMatchObject({
      ...stamp,
      ...{ height: 3, width: 5, encoding: 'rgb8', is_bigendian: 0, step: 15 },
      data: [...frame.data],
    });
    expect(info).toMatchObject({ topic: '/camera/camera_info' });
    expect(info?.value).toMatchObject({
      ...stamp,
      ...{ height: 3, width: 5, distortion_model: 'plumb_bob', d: [0, 0, 0, 0, 0] },
      k: [14.25, 0, 7.5, 0, 15.5, 5.25, 0, 0, 1],
      r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: [14.25, 0, 7.5, 0, 0, 15.5, 5.25, 0, 0, 0, 1, 0],
      ...{ binning_x: 0, roi_x: 0, roi_width: 0, roi_rectify: 0 },
    });
  });

  it.each([
    ['32FC1', 4, (bytes: Uint8Array) => [...new Float32Array(bytes.buffer)], [1.5, NaN, NaN, NaN]],
    ['16UC1', 2, (bytes: Uint8Array) => [...new Uint16Array(bytes.buffer)], [1500, 0, 0, 0]],
  ] as const)('depth as %s, unknown as REP 118 says', async (depth, bytes, values, expected) => {
    const metres = [1.5, 0, Number.NaN, Number.POSITIVE_INFINITY];
    const frame = depthFrame(4, 1, 0, (x) => metres[x] as number);
    const [image] = await readAll(frame, { depth });
    expect(image?.topic).toBe('/camera/depth/image_raw');
    expect(image?.value).toMatchObject({ encoding: depth, width: 4, height: 1, step: 4 * bytes });
    expect(values(Uint8Array.from(image?.value.data as number[]))).toEqual(expected);
  });

  it('points with colours, as PCL has them', async () => {
    const [cloud] = await readAll({ ...pointsFrame(), colors: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    if (!cloud) throw new Error('no cloud');
    const { fields, data, ...value } = cloud.value as { fields: unknown; data: number[] };
    expect(value).toMatchObject({ height: 1, width: 2, point_step: 16, row_step: 32, is_dense: 1 });
    expect(fields).toEqual(['x', 'y', 'z', 'rgb'].map((name, i) => [name, 4 * i, 7, 1]));
    const bytes = Uint8Array.from(data);
    expect([...new Float32Array(bytes.buffer, 16, 3)]).toEqual([0.5, -0.5, 2]);
    expect([...bytes.subarray(28)]).toEqual([6, 5, 4, 0]);
  });

  it('a compressed picture', async () => {
    const [image] = await readAll(imageFrame(5, 3), { pictures: 'jpeg' });
    expect(image).toMatchObject({ topic: '/camera/image_raw/compressed' });
    expect(image?.value).toMatchObject({ format: 'jpeg', frame_id: 'optical' });
    expect((image?.value.data as number[] | undefined)?.slice(0, 2)).toEqual([0xff, 0xd8]);
  });

  it('transforms: a camera that looks along its x sees z', () => {
    const mount = {
      ...{ parent: 'base', frame: 'link' },
      position: [1, 2, 3],
      rotation: [0, 0, 90],
    } as const;
    const message = { transforms: mountTransforms(mount, 'optical', 5n) };
    const { data, schema } = encoder.encode('tf2_msgs/TFMessage', message);
    const value = read(schema.name, data);
    const half = Math.SQRT1_2;
    expect(value['0']).toMatchObject({ frame_id: 'base', child_frame_id: 'link', nanosec: 5 });
    const { translation, rotation } = value['0'] as Record<string, number[]>;
    expect(translation).toEqual([1, 2, 3]);
    const expected = [0, 0, half, half].map((one) => expect.closeTo(one, 12) as number);
    expect(rotation).toEqual(expected);
    expect(value['1']).toMatchObject({
      child_frame_id: 'optical',
      rotation: [-0.5, 0.5, -0.5, 0.5],
    });
  });
});
