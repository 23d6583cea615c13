import { map } from 'rxjs';
import { z } from 'zod';
import { adjusted } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { isValidDepth } from '../core/valid-depth.ts';
import { metricProblems, requireMetric } from '../depth/relative.ts';

const options = minBelowMax(
  z.strictObject({
    min: z.number().min(0).max(1e6).default(0).describe('smallest valid depth, metres'),
    max: z.number().gt(0).max(1e6).default(10).describe('largest valid depth, metres'),
    outside: z
      .enum(['invalid', 'clip'])
      .default('invalid')
      .describe('depths outside the range: mark as invalid (0), or clip to the nearest end'),
  }),
);

const needsMetres = 'clamp limits metres';

type Options = z.output<typeof options>;

/**
 * Limits depth to a range. What is invalid (0, NaN, negative, infinite) stays invalid and
 * is written as 0.
 */
export const clamp = defineOperator({
  name: 'clamp',
  summary: 'Limits depth to a range: values outside become invalid or are clipped.',
  accepts: ['depth'],
  emits: ['depth'],
  keepsSize: true,
  usesPicture: () => false,
  options,
  examples: [
    { min: 0.3, max: 8 },
    { max: 5, outside: 'clip' },
  ],
  check: (_, { arriving }) => metricProblems(arriving, undefined, needsMetres),
  adjustable: ['min', 'max', 'outside'],
  async create(options, context) {
    const current = adjusted(options, context);
    return map((frame) => {
      const now = current();
      const depth = frame as DepthFrame;
      requireMetric(depth, needsMetres);
      const { range = [0, Number.POSITIVE_INFINITY] } = depth;
      const result: DepthFrame = {
        ...depth,
        data: clamped(depth.data, now),
        range: [Math.max(now.min, range[0]), Math.min(now.max, range[1])],
      };
      return result;
    });
  },
});

function clamped(data: Float32Array, { min, max, outside }: Options): Float32Array {
  const [below, above] = outside === 'clip' ? [min, max] : [0, 0];
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!isValidDepth(value)) continue;
    out[i] = value < min ? below : value > max ? above : value;
  }
  return out;
}
