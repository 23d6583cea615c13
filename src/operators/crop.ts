import { map } from 'rxjs';
import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineOperator } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import type { CropRegion } from '../core/fusion.ts';
import type { Rectangle } from '../core/size.ts';
import { centreOfAspect } from '../depth/fit-plan.ts';
import { cropFrame } from '../depth/frame-geometry.ts';

const options = z
  .strictObject({
    left: z.int().min(0).optional().describe('left edge of the part to keep, pixels'),
    top: z.int().min(0).optional().describe('top edge of the part to keep, pixels'),
    width: z.int().min(1).optional().describe('width of the part to keep, pixels'),
    height: z.int().min(1).optional().describe('height of the part to keep, pixels'),
    aspect: aspect()
      .optional()
      .describe(
        'keep the largest centred part with this aspect ratio, such as "4:3"; instead of pixels',
      ),
  })
  .refine(
    ({ left, top, width, height, aspect }) => {
      const given = [left, top, width, height].filter((value) => value !== undefined).length;
      return aspect === undefined ? given === 4 : given === 0;
    },
    { error: 'needs either left, top, width and height, or aspect' },
  );

type Options = z.output<typeof options>;

/** Crops a picture or depth map, and its view, intrinsics, ground truth and picture with it. */
export const crop = defineOperator({
  name: 'crop',
  summary: 'Crops to a rectangle, or to the largest centred part with an aspect ratio.',
  accepts: ['image', 'depth'],
  emits: 'same',
  options,
  examples: [{ aspect: '4:3' }, { left: 320, top: 0, width: 640, height: 480 }],
  fuse: (options) => ({ do: 'crop', region: regionOf(options) }),
  async create(options) {
    const region = regionOf(options);
    return map((frame) => {
      const picture = frame as ImageFrame | DepthFrame;
      return cropFrame(picture, rectangle(region, picture));
    });
  },
});

function regionOf({ aspect, left, top, width, height }: Options): CropRegion {
  if (aspect !== undefined) return { aspect };
  return { left, top, width, height } as Rectangle;
}

function rectangle(region: CropRegion, size: ImageFrame | DepthFrame): Rectangle {
  if ('aspect' in region) return centreOfAspect(size, region.aspect);
  const { left, top, width, height } = region;
  if (left + width <= size.width && top + height <= size.height) return region;
  throw new DepthlineError(
    'OPERATOR',
    `the crop of ${width}×${height} at (${left}, ${top}) exceeds the frame of ` +
      `${size.width}×${size.height}: make it smaller, or use aspect`,
  );
}
