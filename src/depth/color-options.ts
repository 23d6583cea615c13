import { z } from 'zod';
import { interval } from '../core/interval.ts';
import { colormaps } from './colormap.ts';

/** Options of every component that shows depth in colours; wrap the schema in `minBelowMax`. */
export const colorOptions = {
  colormap: z
    .enum(colormaps)
    .default('magma')
    .describe(
      'colormap; near depths get its bright or warm end, invalid pixels are grey (blue in grey)',
    ),
  min: z
    .number()
    .min(0)
    .max(1e6)
    .optional()
    .describe('depth with the nearest colour, metres; default: follows percentiles'),
  max: z
    .number()
    .gt(0)
    .max(1e6)
    .optional()
    .describe('depth with the farthest colour, metres; default: follows percentiles'),
  percentiles: interval(z.number().min(0).max(100))
    .default([2, 98])
    .describe(
      'percentiles of each frame that are used where min or max is not set, as a moving average that widens within 0.5 s and narrows within 3 s',
    ),
};

/** Those of them that change nothing but colours, so that they can change while it runs. */
export const liveColors = ['colormap', 'min', 'max', 'percentiles'] as const;

/** For components whose frames need not form a film. */
export const steadyOption = {
  steady: z
    .boolean()
    .default(true)
    .describe(
      'frames of one film: one size, and a range of colours that changes slowly; false: each frame has its own, for unrelated pictures',
    ),
};
