import { map } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { fillMethods, HoleFiller } from '../depth/fill-holes.ts';

const options = z.strictObject({
  'max-area': z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100)
    .describe('largest hole that is filled, pixels; larger ones stay invalid'),
  method: z
    .enum(fillMethods)
    .default('smooth')
    .describe(
      'smooth: continue the depth around the hole; far, near: the farthest or nearest depth at its border',
    ),
});

/**
 * Fills small holes: groups of invalid pixels of at most `max-area`. Large ones are left, because their
 * depth would be invented.
 */
export const fillHoles = defineOperator({
  name: 'fill-holes',
  summary: 'Fills small holes in depth from the depth around them.',
  accepts: ['depth'],
  emits: ['depth'],
  keepsSize: true,
  usesPicture: () => false,
  options,
  examples: [{}, { 'max-area': 400, method: 'far' }],
  async create(options) {
    return (input) => {
      const filler = new HoleFiller(options['max-area'], options.method);
      return input.pipe(
        map((frame) => {
          const depth = frame as DepthFrame;
          return { ...depth, data: filler.fill(depth) };
        }),
      );
    };
  },
});
