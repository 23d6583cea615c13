import { type Observable, tap } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import { restartSchema } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { frameRate } from '../gstreamer/frame-rate.ts';
import type { Head } from '../gstreamer/launch-line.ts';

const patterns = [
  'ball',
  'smpte',
  'snow',
  'black',
  'white',
  'red',
  'green',
  'blue',
  'checkers-1',
  'checkers-2',
  'checkers-4',
  'checkers-8',
  'circular',
  'blink',
  'smpte75',
  'smpte100',
  'zone-plate',
  'gamut',
  'solid-color',
  'bar',
  'pinwheel',
  'spokes',
  'gradient',
] as const;

const options = z.strictObject({
  width: z.int().min(1).max(16_384).default(640).describe('width, pixels'),
  height: z.int().min(1).max(16_384).default(480).describe('height, pixels'),
  fps: z.number().min(0.01).max(10_000).default(30).describe('frames per second'),
  frames: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe('number of frames, then the source ends; default: no end'),
  realtime: z
    .boolean()
    .default(false)
    .describe('generate frames at `fps` and drop them like a camera, instead of waiting'),
  pattern: z.enum(patterns).default('ball').describe('pattern of the picture'),
  intrinsics: intrinsicsSchema.optional(),
  restart: restartSchema,
});

type Options = z.output<typeof options>;

/** Frames of GStreamer's `videotestsrc` (RGB, uint8). */
export const testPattern = defineSource({
  name: 'test-pattern',
  summary: 'Generates a test pattern, as fast as the pipeline accepts frames or in real time.',
  emits: ['image'],
  live: ({ realtime }) => realtime,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [
    { width: 224, height: 224, frames: 100 },
    { width: 1280, height: 720, fps: 60, realtime: true, pattern: 'smpte' },
  ],

  pictureSize: ({ width, height }) => ({ width, height }),

  launchLine: (options, context) => planLine(spec(options), context),

  async create(options, context) {
    const frames = await openSource(spec(options), context);
    const { realtime, frames: count } = options;
    return realtime && count !== undefined ? countUnseen(frames, count, context) : frames;
  },
});

function spec(options: Options): SourceSpec {
  const { realtime, frames, restart, intrinsics } = options;
  const common = { head: head(options, frames), tail: { live: realtime }, intrinsics };
  const capture = { what: 'test pattern', restart };
  if (!realtime) return { ...common, kind: 'replay', capture };
  // A real-time pattern continues where it was.
  const headAfter = (captured: number) => {
    if (frames === undefined) return common.head;
    return captured < frames ? head(options, frames - captured) : undefined;
  };
  return { ...common, kind: 'live', headAfter, capture };
}

/** Counts the frames that were made at the end, behind the last one that was fetched. */
function countUnseen(
  frames: Observable<Frame>,
  count: number,
  context: ComponentContext,
): Observable<Frame> {
  let seen = 0;
  return frames.pipe(
    tap({
      subscribe: () => {
        seen = 0;
      },
      next: ({ seq }) => {
        seen = seq + 1;
      },
      complete: () => {
        if (!context.signal.aborted && seen < count) context.dropped(count - seen, 'at capture');
      },
    }),
  );
}

function head({ pattern, realtime, width, height, fps }: Options, frames?: number): Head {
  const source = `videotestsrc pattern=${pattern} is-live=${realtime}`;
  const end = frames === undefined ? '' : ` num-buffers=${frames}`;
  const caps = `video/x-raw,width=${width},height=${height},framerate=${frameRate(fps)}`;
  return { line: `${source}${end} ! ${caps}`, size: { width, height } };
}
