import { existsSync } from 'node:fs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { messageKinds } from '../core/frame.ts';
import { endsAfterStart, endsBeforeStart, paceOption, playOptions } from '../core/play-options.ts';
import { expandHome, resolvePath } from '../core/resolve-path.ts';
import { naturalOrder } from '../imaging/natural-order.ts';

const options = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'MCAP file, also one that is cut off; or a glob of several, read in the order of their names',
      ),
    as: z
      .enum(messageKinds)
      .default('image')
      .describe(
        'what is read: pictures, depth (with its pictures, in a Depthline recording), points, or data',
      ),
    topic: z
      .string()
      .min(1)
      .optional()
      .describe(
        'topic to read; default: the frames of a Depthline recording with their numbers, times and drops, else the best topic of that kind',
      ),
    pace: paceOption(['fast', 'recorded', 'step']),
    ...playOptions,
  })
  .refine(endsAfterStart, endsBeforeStart);

/**
 * Frames of MCAP files. A Depthline recording gives them back as they were: seq, pts, views,
 * intrinsics, and what was dropped between them, with its reasons. Of other files (`ros2 bag`,
 * Foxglove) one topic is read: raw images (rgb8, bgr8, rgba8, bgra8, mono8, yuv422, 16UC1, 32FC1),
 * compressed ones, or points. `capturedAt` is when a frame is played.
 */
export const mcap = defineSource({
  name: 'mcap',
  summary: 'Replays MCAP files: recordings of Depthline, ROS 2 and Foxglove.',
  emits: ({ as }) => [as],
  options,
  examples: [
    { path: 'out/run.mcap' },
    { path: 'out/run.mcap', pace: 'recorded', speed: 2, from: '10s', to: '1min', loop: true },
    { path: 'bag/bag_0.mcap', as: 'depth', topic: '/camera/depth/image_rect_raw' },
    { path: 'out/2026-*/*.mcap', 'on-error': 'skip' },
  ],
  reads: ({ path }, baseDirectory) => [
    { path: resolvePath(baseDirectory, path), as: 'file', option: 'path' },
  ],
  async create(options, context) {
    const { as, topic, pace, speed, from, to, loop } = options;
    const paths = await filesOf(options.path, context.baseDirectory);
    const { Playback } = await import('../mcap/playback.ts');
    const { lineSteps } = await import('../mcap/line-steps.ts');
    const playback = await Playback.open(
      {
        ...{ paths, as, topic, loop, fromMs: from, toMs: to, onError: options['on-error'] },
        speed: pace === 'recorded' ? speed : undefined,
        ...(pace === 'step' && { step: lineSteps(context) }),
      },
      context,
    );
    return playback.frames();
  },
});

/** @throws DepthlineError `SOURCE` if there is none */
async function filesOf(path: string, baseDirectory: string): Promise<string[]> {
  const single = resolvePath(baseDirectory, path);
  if (existsSync(single) || !/[*?[{]/.test(path)) return [single];
  const { glob } = await import('tinyglobby');
  const found = await glob(expandHome(path), { cwd: baseDirectory, absolute: true });
  if (found.length === 0)
    throw new DepthlineError('SOURCE', `no file matches "${path}"; check the path`);
  return found.toSorted(naturalOrder);
}
