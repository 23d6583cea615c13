import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { Fusion } from '../core/fusion.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import type { Size } from '../core/size.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { argusControls, argusSettings } from '../gstreamer/argus/controls.ts';
import { argusPictureSize } from '../gstreamer/argus/picture-size.ts';
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

const fields = z.strictObject({
  sensor: z.int().min(0).max(15).default(0).describe('number of the camera (sensor-id)'),
  mode: z
    .int()
    .min(0)
    .max(63)
    .optional()
    .describe(
      'number of the mode of the sensor, as "depthline cameras" lists it; default: Argus takes the smallest one that covers width and height, else 0',
    ),
  width: z
    .int()
    .min(16)
    .max(16_384)
    .optional()
    .describe(
      'width of the picture, pixels; goes with height. Default: the smallest usual 16:9 size of at least twice the size that a resize behind the camera delivers; without a resize 1280',
    ),
  height: z
    .int()
    .min(16)
    .max(16_384)
    .optional()
    .describe(
      'height of the picture, pixels; goes with width. Default: as for width; without a resize 720',
    ),
  fps: z
    .number()
    .min(1)
    .max(1000)
    .default(30)
    .describe('frames per second; the camera drops a fraction, so that 29.97 gives 29'),
  flip: z
    .enum(Object.keys(flips) as [keyof typeof flips])
    .default('none')
    .describe('rotation or flip of the picture, for a camera that is not mounted upright'),
  ...argusControls,
  intrinsics: intrinsicsSchema.optional(),
  'wait-for-source': waitForSource,
  restart: restartSchema,
});

const options = fields.refine(
  ({ width, height }) => (width === undefined) === (height === undefined),
  {
    error: 'needs width and height, or neither',
  },
);

type Options = z.output<typeof options>;

/**
 * Frames of a CSI camera on a Jetson (RGB, uint8): the ISP's NV12 picture stays in video memory
 * until nvvidconv has cropped, scaled and converted it.
 *
 * It has been checked with stand-ins for a Jetson's elements, never on a Jetson.
 */
export const csiCamera = defineSource({
  name: 'csi-camera',
  summary: 'Reads a CSI camera of a Jetson through nvarguscamerasrc.',
  emits: ['image'],
  live: true,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  claims: ({ sensor }) => [{ what: `sensor ${sensor}`, option: 'sensor' }],
  examples: [
    { sensor: 0, width: 1280, height: 720, fps: 30 },
    { flip: 'rotate-180' },
    {
      'exposure-time': { min: '0.1ms', max: '8ms' },
      gain: { min: 1, max: 8 },
      'anti-banding': '50Hz',
      'noise-reduction': { mode: 'high-quality', strength: 0.5 },
    },
  ],

  warnings: ({ fps }) => rateWarnings(fps),

  pictureSize: (options, fused) => spec(options, fused).head.size,

  launchLine: (options, context) => planLine(spec(options, context.fused), context),

  async create(options, context) {
    for (const text of rateWarnings(options.fps)) context.log.warn(text);
    return openSource(spec(options, context.fused), context);
  },
});

function rateWarnings(fps: number): string[] {
  if (Number.isInteger(fps)) return [];
  return [
    `fps ${fps} is asked for as ${frameRate(fps)}, but nvarguscamerasrc drops the fraction: expect ` +
      `${Math.floor(fps)} frames per second, or set fps to ${Math.ceil(fps)}`,
  ];
}

function isTurned({ flip }: Options): boolean {
  return flip === 'rotate-left' || flip === 'rotate-right';
}

/** What Argus is asked for. Intrinsics belong to one size, so with them it does not follow a resize. */
function pictureSize(value: Options, fused: readonly Fusion[]): Size {
  const { width, height, intrinsics } = value;
  if (width !== undefined && height !== undefined) return { width, height };
  return argusPictureSize(intrinsics ? [] : fused, isTurned(value));
}

function spec(value: Options, fused: readonly Fusion[]): SourceSpec {
  const { sensor, fps, flip, restart, intrinsics } = value;
  const { width, height } = pictureSize(value, fused);
  const nvmm = 'video/x-raw(memory:NVMM)';
  const size = isTurned(value) ? { width: height, height: width } : { width, height };
  const parts = [
    [`nvarguscamerasrc sensor-id=${sensor}`, ...argusSettings(value)].join(' '),
    `${nvmm},format=NV12,width=${width},height=${height},framerate=${frameRate(fps)}`,
  ];
  if (flip !== 'none') {
    parts.push(
      `nvvidconv flip-method=${flips[flip]}`,
      `${nvmm},width=${size.width},height=${size.height}`,
    );
  }
  return {
    kind: 'camera',
    head: {
      line: parts.join(' ! '),
      memory: 'nvmm',
      size,
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
