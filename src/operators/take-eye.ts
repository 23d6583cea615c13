import { map } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import { eyeOf } from '../depth/eye.ts';

/** One picture of each stereo pair, with its intrinsics; the truth is that of the left one. */
export const takeEye = defineOperator({
  name: 'take-eye',
  summary: 'Takes one picture of each stereo pair.',
  accepts: ['stereo'],
  emits: ['image'],
  options: z.strictObject({
    side: z.enum(['left', 'right']).default('left').describe('the picture to keep'),
  }),
  examples: [{}, { side: 'right' }],
  create: async ({ side }) =>
    map((frame) => (frame.kind === 'stereo' ? eyeOf(frame, side) : frame)),
});
