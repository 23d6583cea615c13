import { map } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { flipFrame } from '../depth/frame-geometry.ts';

const options = z.strictObject({
  axis: z
    .enum(['horizontal', 'vertical', 'both'])
    .default('horizontal')
    .describe('left and right change places, top and bottom do, or both (half a turn)'),
});

/** Mirrors a picture or depth map; intrinsics, ground truth and picture follow. */
export const flip = defineOperator({
  name: 'flip',
  summary: 'Mirrors the picture, or turns it by half a turn.',
  accepts: ['image', 'depth'],
  emits: 'same',
  options,
  examples: [{ axis: 'horizontal' }, { axis: 'both' }],
  fuse: ({ axis }) => ({ do: 'flip', axis }),
  async create({ axis }) {
    return map((frame) => flipFrame(frame as ImageFrame | DepthFrame, axis));
  },
});
