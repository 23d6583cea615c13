import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { SpatialThread } from '../filtering/spatial-thread.ts';
import { mapAsync } from '../runtime/map-async.ts';

const options = z.strictObject({
  alpha: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('weight of a pixel against its neighbour: small smooths much, 1 not at all'),
  delta: z
    .number()
    .gt(0)
    .max(1)
    .default(0.04)
    .describe(
      'relative change of depth between neighbours that is an edge and kept; 0.04: 8 cm at 2 m',
    ),
  iterations: z.int().min(1).max(5).default(2).describe('passes over rows and columns'),
});

/**
 * Smooths depth within surfaces and keeps edges: the recursive domain-transform filter (Gastal and
 * Oliveira, SIGGRAPH 2011) in the form of librealsense's spatial filter, with its `alpha`, `delta` and
 * iterations; `delta` is relative to the depth. Invalid pixels stay invalid. It has a thread of its own.
 */
export const spatial = defineOperator({
  name: 'spatial',
  summary: 'Smooths depth within surfaces and keeps edges (domain-transform filter).',
  accepts: ['depth'],
  emits: ['depth'],
  keepsSize: true,
  queued: true,
  usesPicture: () => false,
  options,
  examples: [{}, { alpha: 0.6, delta: 0.02, iterations: 3 }],
  async create(options, context) {
    const thread = new SpatialThread();
    context.defer(() => thread.close());
    return mapAsync(
      async (frame) => {
        const depth = frame as DepthFrame;
        const { data, ms } = await thread.run(depth, options);
        return { ...depth, data, timings: { ...depth.timings, [context.name]: ms } };
      },
      { context },
    );
  },
});
