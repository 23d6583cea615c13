import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { frameRate } from '../gstreamer/frame-rate.ts';

/** nvvidconv's flip-method. */
const flips = {
  none: 0,
  'rotate-left': 1,
  'rotate-180': 2,
  'rotate-right': 3,
  horizontal: 4,
  vertical: 6,
} as const;

const options = z.strictObject({
  sensor: z.int().min(0).max(15).default(0).describe('number of the camera (sensor-id)'),
  mode: z
    .int()
    .min(0)
    .max(63)
    .optional()
    .describe('sensor mode number as listed by nvarguscamerasrc; default: chosen by size and fps'),
  width: z.int().min(16).max(16_384).default(1280).describe('width of the picture, pixels'),
  height: z.int().min(16).max(16_384).default(720).describe('height of the picture, pixels'),
  fps: z.number().min(1).max(1000).default(30).describe('frames per second'),
  flip: z
    .enum(Object.keys(flips) as [keyof typeof flips])
    .default('none')
    .describe('rotation or flip of the picture, for a camera that is not mounted upright'),
  intrinsics: intrinsicsSchema.optional(),
  'wait-for-source': waitForSource,
  restart: restartSchema,
});

/**
 * Frames of a CSI camera on a Jetson (RGB, uint8): the ISP's NV12 picture stays in video memory
 * until nvvidconv has cropped, scaled and converted it.
 *
 * This source has been checked by its launch line only, not yet on a Jetson.
 */
export const csiCamera = defineSource({
  name: 'csi-camera',
  summary: 'Reads a CSI camera of a Jetson through nvarguscamerasrc.',
  emits: ['image'],
  live: true,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [{ sensor: 0, width: 1280, height: 720, fps: 30 }, { flip: 'rotate-180' }],

  pictureSize: (options) => spec(options).head.size,

  launchLine: (options, context) => planLine(spec(options), context),

  create: async (options, context) => openSource(spec(options), context),
});

function spec(value: z.output<typeof options>): SourceSpec {
  const { sensor, mode, width, height, fps, flip, restart, intrinsics } = value;
  const nvmm = 'video/x-raw(memory:NVMM)';
  const source = [`nvarguscamerasrc sensor-id=${sensor}`];
  if (mode !== undefined) source.push(`sensor-mode=${mode}`);
  const parts = [
    source.join(' '),
    `${nvmm},format=NV12,width=${width},height=${height},framerate=${frameRate(fps)}`,
  ];
  if (flip !== 'none') parts.push(`nvvidconv flip-method=${flips[flip]}`, nvmm);
  const turned = flip === 'rotate-left' || flip === 'rotate-right';
  return {
    kind: 'camera',
    head: {
      line: parts.join(' ! '),
      memory: 'nvmm',
      size: turned ? { width: height, height: width } : { width, height },
    },
    tail: { live: true },
    intrinsics,
    capture: {
      what: `CSI camera ${sensor}`,
      waitForSource: value['wait-for-source'],
      restart,
    },
  };
}
