import { map } from 'rxjs';
import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import type { DepthFrame } from '../core/frame.ts';
import { maskEdges as withoutEdges } from '../depth/edge-mask.ts';

const options = z.strictObject({
  threshold: z
    .number()
    .gt(0)
    .max(10)
    .default(0.05)
    .describe(
      'largest change of depth from pixel to pixel that is trusted, relative to the depth; 0.05: 10 cm at 2 m',
    ),
});

/**
 * Confidence by the local gradient: depth at a jump lies between two surfaces and belongs to neither, so
 * that a point cloud has points in the air there. Pixels with a steeper gradient become invalid (0).
 */
export const maskEdges = defineOperator({
  name: 'mask-edges',
  summary: 'Marks depth at jumps as invalid, where it is uncertain.',
  accepts: ['depth'],
  emits: ['depth'],
  keepsSize: true,
  usesPicture: () => false,
  options,
  examples: [{}, { threshold: 0.02 }],
  async create({ threshold }) {
    return map((frame) => {
      const depth = frame as DepthFrame;
      return { ...depth, data: withoutEdges(depth, threshold) };
    });
  },
});
