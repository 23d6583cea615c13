import { z } from 'zod';
import { pictureForms } from './frame-messages.ts';
import { rosDepthEncodings } from './from-frame.ts';
import { frameOptions } from './transforms.ts';

/** Options of a sink that makes messages of frames. */
export const messageOptions = {
  namespace: z
    .string()
    .regex(/^(\/[A-Za-z_][A-Za-z0-9_]*)+$/, {
      error: 'must be names of letters, digits and "_", each after a "/", such as /camera/front',
    })
    .default('/camera')
    .describe(
      'in front of every topic: /camera/image_raw, /camera/camera_info, /camera/depth/image_raw, /camera/points',
    ),
  pictures: z
    .enum(pictureForms)
    .default('raw')
    .describe('raw: Image; png: CompressedImage without loss; jpeg: CompressedImage with loss'),
  quality: z.int().min(1).max(100).default(92).describe('quality of jpeg pictures, 1 to 100'),
  depth: z
    .enum(rosDepthEncodings)
    .default('32FC1')
    .describe(
      '32FC1: float32 metres, NaN where unknown; 16UC1: uint16 millimetres, 0 where unknown (REP 118)',
    ),
  ...frameOptions,
} as const;
