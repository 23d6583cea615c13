import { Observable } from 'rxjs';
import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineSource } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Frame, FrameBase } from '../core/frame.ts';
import { Pacer, ptsOf } from '../core/pacer.ts';
import type { Size } from '../core/size.ts';
import { wholeView } from '../depth/view.ts';
import type { FilmSettings } from '../synthetic/film.ts';
import { motions } from '../synthetic/motion.ts';
import type { Response } from '../synthetic/protocol.ts';
import { RenderThread } from '../synthetic/render-thread.ts';

const degrees = z.number().min(10).max(140);
const metres = z.number().min(0.001).max(1);

const options = z.strictObject({
  seed: z.int().min(0).max(2_147_483_647).default(0).describe('same seed, same frames'),
  width: z.int().min(16).max(4096).default(640).describe('width, pixels'),
  height: z.int().min(16).max(4096).default(480).describe('height, pixels'),
  aspect: aspect()
    .optional()
    .describe('aspect ratio of the view ("4:3", 1.78); default: width / height, square pixels'),
  fps: z.number().min(0.1).max(1000).default(30).describe('frames per second'),
  frames: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe('number of frames before the source ends; default: endless'),
  realtime: z
    .boolean()
    .default(false)
    .describe('emit frames at `fps`, instead of as fast as the pipeline accepts them'),
  'frames-per-room': z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('frames before the next room; default: a single room'),
  motion: z
    .enum(motions)
    .default('walk')
    .describe('camera motion; views: a new position and direction for each frame'),
  'field-of-view': z
    .union([degrees, z.tuple([degrees, degrees])])
    .default(65)
    .describe('horizontal field of view, degrees, or a range from which each room draws its own'),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('sensor noise, and variation of exposure and white balance, 0 to 1'),
  stereo: z
    .strictObject({
      baseline: z
        .union([metres, z.tuple([metres, metres])])
        .describe(
          'distance between the lenses, metres, or a range from which each room draws its own',
        ),
      mismatch: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe(
          'difference of the two cameras, 0 to 1: at 1, gain by up to 20 %, white balance by up to 6 %, and half a pixel of height',
        ),
    })
    .optional()
    .describe('render pairs: the same room from a second camera to the right of the first'),
});

type Options = z.output<typeof options>;

/**
 * Frames of a furnished room that is generated from a seed (RGB, uint8), each with `truth`, its depth
 * in metres along the optical axis, and with `intrinsics`. The same options give the same bytes
 * on every machine.
 */
export const syntheticRoom = defineSource({
  name: 'synthetic-room',
  summary: 'Renders a furnished room with a moving camera; every frame has its true depth.',
  emits: ({ stereo }) => (stereo ? ['stereo'] : ['image']),
  options,
  facts: () => ({ intrinsics: true }),
  examples: [
    { width: 224, height: 224, aspect: '4:3', frames: 300 },
    { seed: 7, motion: 'views', 'frames-per-room': 8, 'field-of-view': [52, 78], frames: 3000 },
    { width: 320, height: 240, realtime: true, motion: 'handheld' },
    { width: 640, height: 480, stereo: { baseline: 0.12 } },
  ],

  pictureSize: ({ width, height }) => ({ width, height }),

  async create(options, context) {
    const thread = new RenderThread(settingsOf(options));
    context.defer(() => thread.close());
    // The room is built before the pipeline starts.
    const first = await thread.render(0);
    return new Observable<Frame>((subscriber) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, context.signal]);
      const emit = (frame: Frame) => subscriber.next(frame);
      deliver(first, thread, options, context, signal, emit).then(
        () => subscriber.complete(),
        (error: unknown) => (signal.aborted ? subscriber.complete() : subscriber.error(error)),
      );
      return () => stop.abort();
    });
  },
});

function settingsOf(options: Options): FilmSettings {
  const { seed, width, height, fps, motion, noise, stereo } = options;
  const view = options['field-of-view'];
  return {
    seed,
    width,
    height,
    fps,
    motion,
    noise,
    aspect: options.aspect ?? width / height,
    framesPerRoom: options['frames-per-room'],
    fieldOfView: rangeOf(view),
    stereo: stereo && { ...stereo, baseline: rangeOf(stereo.baseline) },
  };
}

function rangeOf(value: number | [number, number]): [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

async function deliver(
  first: Response,
  thread: RenderThread,
  { frames = Infinity, fps, realtime, width, height }: Options,
  { gate, clock, name }: ComponentContext,
  signal: AbortSignal,
  emit: (frame: Frame) => void,
): Promise<void> {
  const view = wholeView({ width, height });
  const pacer = new Pacer(clock, realtime ? fps : undefined);
  let next = Promise.resolve(first);
  for (let seq = 0; seq < frames; seq++) {
    await gate.opened(signal);
    if (signal.aborted) return;
    const shot = await next;
    await pacer.wait(signal);
    await gate.opened(signal);
    if (signal.aborted) return;
    // Render one frame ahead, while this one is in the pipeline.
    if (seq + 1 < frames) next = thread.render(seq + 1);
    const base = {
      ...{ seq, pts: ptsOf(seq, fps), capturedAt: clock.wall(), source: name },
      timings: { [name]: shot.ms },
      intrinsics: shot.intrinsics,
      view,
      truth: { width, height, data: shot.depth },
    };
    emit(frameOf(shot, base, { width, height }));
  }
}

function frameOf({ rgb, right }: Response, base: FrameBase, size: Size): Frame {
  const left = { ...size, format: 'rgb', data: rgb } as const;
  if (!right) return { kind: 'image', ...base, ...left };
  return {
    ...{ kind: 'stereo', ...base, ...size, left, right: { ...left, data: right.rgb } },
    ...{ baseline: right.baseline, rectified: true },
  };
}
