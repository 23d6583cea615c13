import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineOperator } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { engines } from '../core/fusion.ts';
import { fitDepth } from '../depth/frame-geometry.ts';
import { fitImage } from '../imaging/fit.ts';
import { mapAsync } from '../runtime/map-async.ts';

const options = z.strictObject({
  width: z.int().min(1).max(16_384).describe('width of the result, pixels'),
  height: z.int().min(1).max(16_384).describe('height of the result, pixels'),
  fit: z
    .enum(['crop', 'letterbox', 'stretch'])
    .default('crop')
    .describe('when the shapes differ: cut the sides off, add black bars, or distort'),
  view: aspect()
    .optional()
    .describe(
      'shape of the centre part that is kept before scaling, such as "4:3"; default: what the ' +
        'model behind expects, else the shape of width × height',
    ),
  on: z
    .enum(['auto', ...engines])
    .default('auto')
    .describe('engine that scales, behind a GStreamer source; auto: the best that is present'),
});

/**
 * Scales pictures, and depth by nearest neighbour. Directly behind a GStreamer source this happens
 * in the launch line, on the GPU where there is one; elsewhere in this process, off the event loop.
 * A frame that has the size and shape wanted passes untouched.
 */
export const resize = defineOperator({
  name: 'resize',
  summary: 'Scales pictures, on the GPU when it stands directly behind a GStreamer source.',
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
        `resize on ${on} works only directly behind a GStreamer source: use "on: auto", or move it there`,
      );
    }
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
