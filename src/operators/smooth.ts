import { map } from 'rxjs';
import { z } from 'zod';
import { adjusted, remade } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { createSmoother, type Smoother, type SmoothingOptions } from '../depth/smoothing.ts';

const options = z.strictObject({
  method: z
    .enum(['ema', 'median', 'motion'])
    .default('motion')
    .describe(
      'ema: exponential moving average; median: median of a window; motion: average that adapts to change',
    ),
  alpha: z
    .number()
    .gt(0)
    .max(1)
    .default(0.4)
    .describe('ema: weight of the new frame; motion: its weight where nothing moves'),
  window: z.int().min(3).max(15).default(5).describe('median: number of frames'),
  'motion-threshold': z
    .number()
    .gt(0)
    .default(0.1)
    .describe('motion: relative change of depth from which on the new depth is taken unchanged'),
  'scene-cut': z
    .number()
    .gt(0)
    .default(0.35)
    .describe('mean relative change of depth above which the history is discarded'),
  hold: z
    .int()
    .min(0)
    .max(1000)
    .default(5)
    .describe('frames for which an invalid pixel keeps its last valid depth'),
});

type Options = z.output<typeof options>;

function smoothing(options: Options): SmoothingOptions {
  return {
    method: options.method,
    alpha: options.alpha,
    window: options.window,
    motionThreshold: options['motion-threshold'],
    sceneCut: options['scene-cut'],
    hold: options.hold,
  };
}

/**
 * Smooths depth over time, pixel by pixel. `ema` is an exponential moving average; `median` takes
 * the median of the last frames; `motion` is an average whose gain rises from `alpha` to 1 with the
 * relative change of the pixel, so that a moving edge is followed at once and does not smear.
 */
export const smooth = defineOperator({
  name: 'smooth',
  summary: 'Smooths depth over time: exponential average, median, or motion-adaptive average.',
  accepts: ['depth'],
  emits: ['depth'],
  keepsSize: true,
  usesPicture: () => false,
  options,
  examples: [{ method: 'ema', alpha: 0.4 }, { method: 'median', window: 5 }, { method: 'motion' }],
  adjustable: Object.keys(options.shape),
  async create(options, context) {
    const current = adjusted(options, context);
    return (input) => {
      const smoother = remade<Options, Smoother>(current, (now, before) =>
        createSmoother(smoothing(now), before),
      );
      return input.pipe(
        map((frame) => {
          const depth = frame as DepthFrame;
          return { ...depth, data: smoother().next(depth) };
        }),
      );
    };
  },
});
