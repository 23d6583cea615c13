import type { FrameKind } from '../core/frame.ts';
import { nameInText } from '../core/printable.ts';

/** Topics that are named. */
const mostNamed = 8;

/**
 * Why nothing comes of a topic, and what to do.
 *
 * @param published topics that the master knows publishers of, with their types
 */
export function noPublisher(
  { topic, as }: { readonly topic: string; readonly as: FrameKind },
  published: readonly (readonly [topic: string, type: string])[],
): string {
  if (published.some(([name]) => name === topic))
    return `a node publishes ${topic}, but no connection to it can be made; its ROS_IP or ROS_HOSTNAME must be an address that this machine reaches`;
  const types =
    as === 'points'
      ? ['sensor_msgs/PointCloud2']
      : ['sensor_msgs/Image', 'sensor_msgs/CompressedImage'];
  const others = published.filter(([, type]) => types.includes(type)).map(([name]) => name);
  const shown = others.slice(0, mostNamed).map(nameInText).join(', ');
  const more = others.length > mostNamed ? ', …' : '';
  const what = as === 'points' ? 'points' : 'pictures';
  const known = others.length > 0 ? `${what} are on ${shown}${more}` : `no node publishes ${what}`;
  return `no node publishes ${topic} yet; it is waited for (${known})`;
}
