import { statSync } from 'node:fs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { cameraAdvice } from '../gstreamer/failures.ts';
import { frameRate } from '../gstreamer/frame-rate.ts';
import { type Head, quote } from '../gstreamer/launch-line.ts';

/** V4L2's raw formats by GStreamer's names. */
const rawFormats = {
  yuyv: 'YUY2',
  uyvy: 'UYVY',
  nv12: 'NV12',
  i420: 'I420',
  rgb: 'RGB',
  bgr: 'BGR',
  gray: 'GRAY8',
} as const;

const options = z.strictObject({
  device: z.string().min(1).default('/dev/video0').describe('device file of the camera'),
  width: z.int().min(16).max(16_384).default(640).describe('width of the picture, pixels'),
  height: z.int().min(16).max(16_384).default(480).describe('height of the picture, pixels'),
  fps: z.number().min(1).max(1000).default(30).describe('frames per second'),
  format: z
    .enum(['auto', 'mjpeg', 'yuyv', 'uyvy', 'nv12', 'i420', 'rgb', 'bgr', 'gray'])
    .default('auto')
    .describe(
      'pixel format of the camera: mjpeg for large pictures at a high rate over USB 2, yuyv for small ones',
    ),
  intrinsics: intrinsicsSchema.optional(),
  'wait-for-source': waitForSource,
  restart: restartSchema,
});

type Options = z.output<typeof options>;

/** Frames of a USB camera or another V4L2 device (RGB, uint8). */
export const usbCamera = defineSource({
  name: 'usb-camera',
  summary: 'Reads a USB camera through Video4Linux.',
  emits: ['image'],
  live: true,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  claims: ({ device }) => [{ what: `device ${device}`, option: 'device' }],
  examples: [{ device: '/dev/video0' }, { width: 1280, height: 720, fps: 30, format: 'mjpeg' }],

  pictureSize: ({ width, height }) => ({ width, height }),

  launchLine: (options, context) => planLine(spec(options), context),

  async create(options, context) {
    checkDevice(options);
    return openSource(spec(options), context);
  },
});

function checkDevice({ device, 'wait-for-source': wait }: Options): void {
  const found = statSync(device, { throwIfNoEntry: false });
  if (!found && !wait) {
    throw new DepthlineError('SOURCE', `no camera ${device}: ${cameraAdvice()}`);
  }
  if (found && !found.isCharacterDevice()) {
    throw new DepthlineError('SOURCE', `${device} is not a camera device: ${cameraAdvice()}`);
  }
}

function spec(options: Options): SourceSpec {
  const { device, restart, intrinsics } = options;
  return {
    kind: 'camera',
    head: head(options),
    tail: { live: true },
    intrinsics,
    capture: {
      what: `USB camera ${device}`,
      waitForSource: options['wait-for-source'],
      restart,
    },
  };
}

function head({ device, width, height, fps, format }: Options): Head {
  const size = `width=${width},height=${height},framerate=${frameRate(fps)}`;
  const source = `v4l2src device=${quote(device)}`;
  const known = { width, height };
  if (format === 'mjpeg') return { line: `${source} ! image/jpeg,${size} ! jpegdec`, size: known };
  if (format !== 'auto') {
    return {
      line: `${source} ! video/x-raw,format=${rawFormats[format]},${size}`,
      size: known,
    };
  }
  return {
    line: `${source} ! video/x-raw,${size};image/jpeg,${size} ! decodebin`,
    memory: 'decoded',
    size: known,
  };
}
