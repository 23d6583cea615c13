import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineOperator } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { engines } from '../core/fusion.ts';
import { fitDepth } from '../depth/frame-geometry.ts';
import { mapAsync } from '../runtime/map-async.ts';

const options = z.strictObject({
  width: z.int().min(1).max(16_384).describe('width of the result, pixels'),
  height: z.int().min(1).max(16_384).describe('height of the result, pixels'),
  fit: z
    .enum(['crop', 'letterbox', 'stretch'])
    .default('crop')
    .describe(
      'when the aspect ratios differ: crop the sides, add black bars (letterbox), or distort (stretch)',
    ),
  view: aspect()
    .optional()
    .describe(
      'aspect ratio of the centred part that is kept before scaling, such as "4:3"; default: what the ' +
        'model expects, else width / height',
    ),
  on: z
    .enum(['auto', ...engines])
    .default('auto')
    .describe(
      'engine to scale with, directly behind a GStreamer source; auto: the best one available',
    ),
});

/**
 * Resizes pictures, and depth by nearest neighbour. Only `stretch` and `view` change the shape of what
 * is shown: depth of a 4:3 view that is squeezed into a square comes out as 4:3, cut or with bars where
 * the new size has another aspect. Directly behind a GStreamer source this happens
 * in its launch line, on the GPU if there is one; elsewhere in this process, off the event loop. A
 * frame that has the right size already passes unchanged.
 */
export const resize = defineOperator({
  name: 'resize',
  summary: 'Resizes pictures; directly behind a GStreamer source on the GPU, if there is one.',
  accepts: ['image', 'depth'],
  emits: 'same',
  queued: true,
  options,
  examples: [
    { width: 224, height: 224 },
    { width: 224, height: 224, view: '4:3' },
    { width: 640, height: 640, fit: 'letterbox', on: 'cpu' },
  ],

  fuse({ view, ...rest }) {
    return { do: 'resize', ...rest, ...(view !== undefined && { view }) };
  },

  async create({ width, height, fit, view, on }, context) {
    if (on !== 'auto' && on !== 'cpu') {
      throw new DepthlineError(
        'CONFIG',
        `resize on ${on} works only directly behind a GStreamer source: move it there, or use "on: auto"`,
      );
    }
    const { fitImage } = await import('../imaging/fit.ts');
    const size = { width, height };
    return mapAsync(
      async (frame) =>
        frame.kind === 'depth'
          ? fitDepth(frame as DepthFrame, size, fit, view)
          : fitImage(frame as ImageFrame, size, fit, view),
      { context },
    );
  },
});
