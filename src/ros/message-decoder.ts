import { parse } from '@foxglove/rosmsg';
import { MessageReader } from '@foxglove/rosmsg2-serialization';
import type { MessageSchema } from './codec.ts';
import type { RosMessages, RosType } from './messages.ts';

/** Reads the messages of one topic. */
export interface MessageDecoder {
  /** What they are, as ROS names it; text and JSON are values of JSON. */
  readonly type: RosType | 'json';
  /**
   * @returns a message of `type`, or a value
   * @throws Error if the data does not match the schema
   */
  decode(data: Uint8Array): unknown;
}

/** Types that are read of ROS 2 files, by the names of their schemas. */
const readTypes: Readonly<Record<string, RosType | 'json'>> = {
  'sensor_msgs/msg/Image': 'sensor_msgs/Image',
  'sensor_msgs/msg/CompressedImage': 'sensor_msgs/CompressedImage',
  'sensor_msgs/msg/CameraInfo': 'sensor_msgs/CameraInfo',
  'sensor_msgs/msg/PointCloud2': 'sensor_msgs/PointCloud2',
  'tf2_msgs/msg/TFMessage': 'tf2_msgs/TFMessage',
  'std_msgs/msg/String': 'json',
};

/** The decoder of a CDR topic; nothing if its messages are none that frames are made of. */
export function ros2Decoder(schema: MessageSchema): MessageDecoder | undefined {
  const { name, encoding, data } = schema;
  const type = Object.hasOwn(readTypes, name) ? readTypes[name] : undefined;
  if (!type || encoding !== 'ros2msg') return undefined;
  const definitions = parse(new TextDecoder().decode(data), { ros2: true });
  const reader = new MessageReader(definitions);
  if (type !== 'json') return { type, decode: (bytes) => reader.readMessage(bytes) };
  return { type, decode: (bytes) => JSON.parse(reader.readMessage<{ data: string }>(bytes).data) };
}

/** A decoded message with its type checked by `type` of its decoder. */
export type Decoded<T extends RosType> = RosMessages[T];
