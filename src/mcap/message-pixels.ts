import type { DepthMap, Picture } from '../core/frame.ts';
import { depthOf, pictureOf } from '../ros/pixel-encodings.ts';
import { compressedDepthOf, compressedPictureOf } from '../ros/to-frame.ts';
import type { Decoders } from './decoders.ts';
import type { ReadMessage } from './mcap-file.ts';

/**
 * The picture of a message, raw or compressed.
 *
 * @throws Error with the reason if it cannot be read
 */
export async function readPicture(message: ReadMessage, decoders: Decoders): Promise<Picture> {
  const raw = decoders.decode(message, 'sensor_msgs/Image');
  if (raw) return pictureOf(raw);
  const compressed = decoders.decode(message, 'sensor_msgs/CompressedImage');
  if (compressed) return compressedPictureOf(compressed);
  throw new Error(`${message.channel.topic} has no pictures`);
}

/**
 * The depth of a message, raw or compressed.
 *
 * @throws Error with the reason if it cannot be read
 */
export async function readDepth(message: ReadMessage, decoders: Decoders): Promise<DepthMap> {
  const raw = decoders.decode(message, 'sensor_msgs/Image');
  if (raw) return depthOf(raw);
  const compressed = decoders.decode(message, 'sensor_msgs/CompressedImage');
  if (compressed) return compressedDepthOf(compressed);
  throw new Error(`${message.channel.topic} has no depth`);
}
