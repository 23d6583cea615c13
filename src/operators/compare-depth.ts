import { tap } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { scaleNearest } from '../depth/geometry.ts';
import { DepthMetrics, depthErrorNames } from '../depth/metrics.ts';
import { metricProblems, requireMetric } from '../depth/relative.ts';

const options = minBelowMax(
  z.strictObject({
    min: z
      .number()
      .min(0)
      .max(1e6)
      .default(0)
      .describe('smallest ground truth to compare with, metres'),
    max: z
      .number()
      .gt(0)
      .max(1e6)
      .default(10)
      .describe('largest ground truth to compare with, metres'),
  }),
);

const needsMetres = 'compare-depth compares with metres';

/**
 * Measures depth against the ground truth that a frame carries, at the size of the depth (nearest
 * pixel). The run's summary gets δ1–δ3, RMSE and the other errors of Eigen et al. (*Depth Map
 * Prediction from a Single Image using a Multi-Scale Deep Network*, NeurIPS 2014) as the mean over
 * frames. Frames pass unchanged; those without truth are counted as not compared.
 */
export const compareDepth = defineOperator({
  name: 'compare-depth',
  summary: 'Measures depth against ground truth: δ1, RMSE and more, in the run’s summary.',
  accepts: ['depth'],
  emits: ['depth'],
  usesPicture: () => false,
  options,
  examples: [{}, { min: 0.3, max: 8 }],
  check: (_, { arriving }) => metricProblems(arriving, undefined, needsMetres),
  async create(range, context) {
    const metrics = new DepthMetrics();
    let notCompared = 0;
    context.summary(() => {
      const { frames, pixels, ...errors } = metrics.result();
      const counts = { compared: frames, ...(notCompared > 0 && { notCompared }) };
      return frames === 0 ? counts : { ...counts, pixels, ...rounded(errors) };
    });
    return tap((frame) => {
      const depth = frame as DepthFrame;
      requireMetric(depth, needsMetres);
      const truth = depth.truth && scaleNearest(depth.truth, depth);
      if (!truth || !metrics.add(depth.data, truth.data, range)) notCompared++;
    });
  },
});

function rounded(errors: Record<(typeof depthErrorNames)[number], number>) {
  return Object.fromEntries(depthErrorNames.map((name) => [name, Number(errors[name].toFixed(5))]));
}
