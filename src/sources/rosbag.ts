import { relative } from 'node:path';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { endsAfterStart, endsBeforeStart, paceOption, playOptions } from '../core/play-options.ts';
import { resolvePath } from '../core/resolve-path.ts';

const options = z
  .strictObject({
    path: z.string().min(1).describe('bag of ROS 1 (version 2.0), as "rosbag record" writes it'),
    as: z
      .enum(['image', 'depth', 'points'])
      .default('image')
      .describe('what is read: pictures, depth (16UC1, 32FC1 or compressed 16UC1), or points'),
    topic: z
      .string()
      .min(1)
      .optional()
      .describe('topic to read; default: the best topic of that kind'),
    pace: paceOption(['fast', 'recorded']),
    ...playOptions,
  })
  .refine(endsAfterStart, endsBeforeStart);

/**
 * Frames of one topic of a bag of ROS 1, also one with chunks of bz2 or lz4: raw images (rgb8, bgr8,
 * rgba8, bgra8, mono8, yuv422, 16UC1, 32FC1), compressed ones, or points. Intrinsics come from
 * `camera_info` beside the topic. `pts` counts from the first stamp; `capturedAt` is when a frame is
 * played. Bags of ROS 2 are read by `mcap`.
 */
export const rosbag = defineSource({
  name: 'rosbag',
  summary: 'Replays pictures, depth or points of a bag of ROS 1.',
  emits: ({ as }) => [as],
  options,
  examples: [
    { path: 'walk.bag' },
    { path: 'walk.bag', as: 'depth', topic: '/camera/depth/image_rect_raw' },
    { path: 'walk.bag', pace: 'recorded', from: '10s', to: '1min', loop: true },
  ],
  reads: ({ path }, baseDirectory) => [
    { path: resolvePath(baseDirectory, path), as: 'file', option: 'path' },
  ],
  async create(options, context) {
    const { as, topic, pace, speed, from, to, loop } = options;
    const [{ bagTrack }, { Playback }] = await Promise.all([
      import('../ros1/bag-player.ts'),
      import('../mcap/playback.ts'),
    ]);
    const { baseDirectory, log } = context;
    const path = resolvePath(baseDirectory, options.path);
    const track = await bagTrack({
      ...{ path, name: relative(baseDirectory, path), as, topic, fromMs: from, toMs: to },
      info: (message) => log.info(message),
      warn: (message) => log.warn(message),
    });
    const play = { as, loop, fromMs: from, toMs: to, onError: options['on-error'] };
    const paced = { ...play, speed: pace === 'recorded' ? speed : undefined };
    const playback = Playback.of(paced, context, [track]);
    return playback.frames();
  },
});
