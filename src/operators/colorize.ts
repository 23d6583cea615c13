import { map } from 'rxjs';
import { z } from 'zod';
import { adjusted, remade } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import { type DepthFrame, derive, type ImageFrame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { colorOptions, liveColors, steadyOption } from '../depth/color-options.ts';
import { type ColorRangeOptions, ColorRangeTracker } from '../depth/color-range.ts';
import { colorizeDepth } from '../depth/colormap.ts';
import { metricLookProblems, requireMetricLook } from '../depth/relative.ts';

const options = minBelowMax(z.strictObject({ ...colorOptions, ...steadyOption }));

/** Depth as an RGB picture of the same size: near is warm or bright, invalid is black. */
export const colorize = defineOperator({
  name: 'colorize',
  summary: 'Renders depth in colours: turbo, viridis, magma, inferno or grey.',
  accepts: ['depth'],
  emits: ['image'],
  options,
  examples: [
    { colormap: 'turbo' },
    { colormap: 'magma', min: 0.5, max: 8 },
    { percentiles: [1, 99], steady: false },
  ],
  check: (options, { arriving }) => metricLookProblems(options, arriving),
  adjustable: [...liveColors, 'steady'],
  async create(options, context) {
    const current = adjusted(options, context);
    return (input) => {
      const range = remade<ColorRangeOptions, ColorRangeTracker>(
        current,
        (now, before) => new ColorRangeTracker(now, before),
      );
      return input.pipe(
        map((frame): ImageFrame => {
          const depth = frame as DepthFrame;
          requireMetricLook(current(), depth);
          return {
            ...derive(depth),
            kind: 'image',
            width: depth.width,
            height: depth.height,
            format: 'rgb',
            data: colorizeDepth(depth, { colormap: current().colormap, ...range().next(depth) }),
          };
        }),
      );
    };
  },
});
