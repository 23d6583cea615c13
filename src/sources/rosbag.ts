import { relative } from 'node:path';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { duration, positiveDuration } from '../core/units.ts';

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
    pace: z
      .enum(['fast', 'recorded'])
      .default('fast')
      .describe(
        'fast: as fast as the pipeline accepts frames; recorded: at the times of their stamps',
      ),
    speed: z
      .number()
      .min(0.01)
      .max(100)
      .default(1)
      .describe('with pace: recorded, times the speed of the recording'),
    from: duration().optional().describe('where to begin, since the start of the bag'),
    to: positiveDuration().optional().describe('where to end, since the start of the bag'),
    loop: z.boolean().default(false).describe('start over at the end'),
    'on-error': z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('message that cannot be decoded: end the run, or skip it and count it as dropped'),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be later than "from"',
  });

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
