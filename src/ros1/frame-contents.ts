import type { Intrinsics, MessageKind } from '../core/frame.ts';
import type { FrameContents } from '../mcap/played-frame.ts';
import type { ImageMessage, RosMessages, RosType } from '../ros/messages.ts';
import {
  depthEncodings,
  depthOf,
  pictureEncodings,
  pictureOf,
  unknownEncoding,
} from '../ros/pixel-encodings.ts';
import {
  compressedDepthOf,
  compressedPictureOf,
  isCompressedDepth,
  pointsOf,
} from '../ros/to-frame.ts';

/** A message with its type. */
export type TypedMessage = {
  readonly [T in RosType]: { readonly type: T; readonly message: RosMessages[T] };
}[RosType];

/**
 * What a message holds; nothing if no frame is made of its type.
 *
 * @throws Error with the reason if its type holds frames, but not in this encoding
 */
export function kindOf({ type, message }: TypedMessage): MessageKind | 'calibration' | undefined {
  if (type === 'sensor_msgs/Image') return imageKind(message);
  if (type === 'sensor_msgs/CompressedImage') return isCompressedDepth(message) ? 'depth' : 'image';
  if (type === 'sensor_msgs/PointCloud2') return 'points';
  return type === 'sensor_msgs/CameraInfo' ? 'calibration' : undefined;
}

function imageKind({ encoding }: ImageMessage): MessageKind {
  if (depthEncodings.includes(encoding)) return 'depth';
  if (pictureEncodings.includes(encoding)) return 'image';
  throw new Error(unknownEncoding(encoding, [...pictureEncodings, ...depthEncodings]));
}

/**
 * What a frame of this message holds.
 *
 * @throws Error with the reason if the message has no frame of that kind
 */
export async function contentsOf(
  one: TypedMessage,
  as: MessageKind,
  intrinsics: Intrinsics | undefined,
): Promise<FrameContents> {
  const known = intrinsics && { intrinsics };
  const { type, message } = one;
  if (as === 'image') {
    if (type === 'sensor_msgs/Image') return { kind: 'image', ...known, ...pictureOf(message) };
    if (type === 'sensor_msgs/CompressedImage')
      return { kind: 'image', ...known, ...(await compressedPictureOf(message)) };
  }
  if (as === 'depth') {
    if (type === 'sensor_msgs/Image') return { kind: 'depth', ...known, ...depthOf(message) };
    if (type === 'sensor_msgs/CompressedImage')
      return { kind: 'depth', ...known, ...(await compressedDepthOf(message)) };
  }
  if (as === 'points' && type === 'sensor_msgs/PointCloud2')
    return { kind: 'points', ...pointsOf(message) };
  throw new Error(`${type} holds no ${as}`);
}

/** Types of messages that are read. */
export const readTypes: ReadonlySet<string> = new Set<RosType>([
  'sensor_msgs/Image',
  'sensor_msgs/CompressedImage',
  'sensor_msgs/CameraInfo',
  'sensor_msgs/PointCloud2',
]);

/** Where ROS has the calibration of a topic of pictures: beside it. */
export function infoTopicBeside(topic: string): string {
  const raw = topic.replace(/\/(compressed|compressedDepth)$/, '');
  return `${raw.slice(0, raw.lastIndexOf('/'))}/camera_info`;
}
