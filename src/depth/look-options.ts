import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { colorOptions, liveColors } from './color-options.ts';

export const panelNames = ['image', 'depth', 'truth', 'error'] as const;
export type PanelName = (typeof panelNames)[number];

/** Those of `lookOptions` that change neither size nor panels, so that they can change while it runs. */
export const liveLook = [...liveColors, 'error-max'] as const;

/** Options of every component that shows picture and depth to a person; wrap in `minBelowMax`. */
export const lookOptions = {
  panels: z
    .array(z.enum(panelNames))
    .min(1)
    .max(8)
    .optional()
    .describe(
      'panels from left to right; error is relative to the ground truth; default: the picture and ' +
        'depth, and truth, as far as the first frame has them',
    ),
  height: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe('height of a panel, pixels; default: that of the depth frame, at least 360'),
  aspect: aspect()
    .optional()
    .describe('aspect ratio of a panel; default: that of the view which the frame shows'),
  legend: z
    .boolean()
    .default(true)
    .describe('colour bar with metres beside the panels, and captions of more than two panels'),
  ...colorOptions,
  'error-max': z
    .number()
    .gt(0)
    .max(100)
    .default(0.5)
    .describe('relative error with the brightest colour; 0.5: off by half the true depth'),
};
