import { tap } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { flickerBetween, Spread } from '../depth/flicker.ts';

const options = z.strictObject({
  'static-below': z
    .int()
    .min(0)
    .max(255)
    .default(8)
    .describe('largest change of a colour channel for a pixel to count as static, 0 to 255'),
});

/**
 * Measures how much depth flickers in static parts of the scene: the mean absolute change from frame
 * to frame over static pixels (those whose colour barely changed; all, when frames have no
 * picture). The run's summary gets mean and 95th percentile over frames, in metres and relative
 * to the depth; only relative to the depth where that has no unit. Frames pass unchanged.
 */
export const measureFlicker = defineOperator({
  name: 'measure-flicker',
  summary: 'Measures how much depth changes from frame to frame in static parts of the scene.',
  accepts: ['depth'],
  emits: ['depth'],
  options,
  examples: [{}, { 'static-below': 4 }],
  async create(options, context) {
    const metres = new Spread();
    const relative = new Spread();
    let share = 0;
    let before: DepthFrame | undefined;
    let metric = true;
    context.summary(() => {
      const compared = metres.count;
      if (compared === 0) return { compared };
      return {
        compared,
        staticShare: share / compared,
        ...(metric && { metres: metres.result() }),
        relative: relative.result(),
      };
    });
    return tap((frame) => {
      const now = frame as DepthFrame;
      const flicker = before && flickerBetween(before, now, options['static-below']);
      before = now;
      if (now.unit === 'relative') metric = false;
      if (!flicker) return;
      metres.add(flicker.metres);
      relative.add(flicker.relative);
      share += flicker.share;
    });
  },
});
