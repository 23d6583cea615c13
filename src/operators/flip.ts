import { map } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import { type DepthFrame, flipAxes, type ImageFrame } from '../core/frame.ts';
import { flipFrame } from '../depth/frame-geometry.ts';

const options = z.strictObject({
  axis: z
    .enum(flipAxes)
    .default('horizontal')
    .describe(
      'horizontal: swap left and right; vertical: swap top and bottom; both: rotate by 180°',
    ),
});

/** Mirrors a picture or depth map, and its view, intrinsics, ground truth and picture with it. */
export const flip = defineOperator({
  name: 'flip',
  summary: 'Mirrors the picture, or rotates it by 180°.',
  accepts: ['image', 'depth'],
  emits: 'same',
  options,
  examples: [{ axis: 'horizontal' }, { axis: 'both' }],
  fuse: ({ axis }) => ({ do: 'flip', axis }),
  async create({ axis }) {
    return map((frame) => flipFrame(frame as ImageFrame | DepthFrame, axis));
  },
});
