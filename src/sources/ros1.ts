import { Observable } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { Frame } from '../core/frame.ts';
import { nodeOptions, nodeWarnings, resolvedNode } from '../ros1/node-options.ts';

const options = z.strictObject({
  topic: z
    .string()
    .regex(/^(\/[A-Za-z_][A-Za-z0-9_]*)+$/, {
      error:
        'must be names of letters, digits and "_", each after a "/", such as /camera/image_raw',
    })
    .describe('topic of Image, CompressedImage or PointCloud2'),
  as: z
    .enum(['image', 'depth', 'points'])
    .default('image')
    .describe('what is read: pictures, depth (16UC1, 32FC1 or compressed 16UC1), or points'),
  ...nodeOptions,
});

/**
 * Frames of a topic of ROS 1, always the newest: what comes while the pipeline is busy is lost and
 * counted `at capture`, as are gaps in `header.seq`. Intrinsics come from `camera_info` beside the
 * topic. Raw images are read in the encodings rgb8, bgr8, rgba8, bgra8, mono8, yuv422, 16UC1 and
 * 32FC1. `capturedAt` is the stamp, by the clock of this machine. A publisher or a master that
 * restarts is found again.
 */
export const ros1 = defineSource({
  name: 'ros1',
  summary: 'Reads pictures, depth or points from a topic of ROS 1.',
  emits: ({ as }) => [as],
  live: true,
  options,
  examples: [
    { topic: '/camera/image_raw' },
    { topic: '/camera/color/image_raw/compressed', master: 'http://127.0.0.1:11311' },
    { topic: '/camera/depth/image_rect_raw', as: 'depth' },
  ],
  warnings: nodeWarnings,
  async create({ topic, as, ...given }, context) {
    const [{ Ros1Node }, { SubscriptionReader }] = await Promise.all([
      import('../ros1/ros1-node.ts'),
      import('../ros1/subscription-reader.ts'),
    ]);
    const { clock, log } = context;
    for (const warning of nodeWarnings(given)) log.warn(warning);
    const node = await Ros1Node.open({ ...resolvedNode(given), role: 'source', clock, log });
    context.defer(() => node.close());
    return new Observable<Frame>((subscriber) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, context.signal]);
      new SubscriptionReader({ topic, as }, context, node)
        .read((frame) => subscriber.next(frame), signal)
        .then(
          () => subscriber.complete(),
          (error: unknown) => subscriber.error(error),
        );
      return () => stop.abort();
    });
  },
});
