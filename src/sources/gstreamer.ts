import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { PathUse } from '../core/component-facts.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { depthFilter } from '../gstreamer/depth/depth-caps.ts';
import { depthContent } from '../gstreamer/depth/depth-content.ts';

const options = z
  .strictObject({
    launch: z
      .string()
      .regex(/[^\s!]/, { error: 'must be a launch line, such as "videotestsrc"' })
      .describe(
        'launch line up to raw video, or up to depth (see format); conversion of video to RGB and the sink are appended',
      ),
    format: z
      .enum(['image', 'depth'])
      .default('image')
      .describe(
        'what the line delivers. image: raw video of any format; depth: video/x-raw in GRAY16_LE, GRAY16_BE or GRAY8, or static tensors of nnstreamer, of which one is uint8, uint16 or float32 depth, and another may be its picture',
      ),
    values: z
      .enum(['depth', 'disparity'])
      .optional()
      .describe('with format: depth, what the values are; default: depth'),
    scale: z
      .number()
      .positive()
      .optional()
      .describe(
        'with format: depth, metres per step of the values; with values: disparity, depth in metres = scale / value, so focal length (pixels) × baseline (metres) × steps per pixel. Default: 0.001 (millimetres) for uint16, 1 for float32',
      ),
    unit: z
      .enum(['m', 'relative'])
      .optional()
      .describe('with format: depth, metres, or relative depth of unknown scale; default: m'),
    live: z
      .boolean()
      .default(true)
      .describe('true for a camera, which drops frames that are not read in time'),
    intrinsics: intrinsicsSchema.optional(),
    'wait-for-source': waitForSource,
    restart: restartSchema,
  })
  .check(({ value, issues }) => {
    for (const name of ['values', 'scale', 'unit'] as const) {
      if (value.format === 'depth' || value[name] === undefined) continue;
      const message = 'is for depth only; add "format: depth"';
      issues.push({ code: 'custom', path: [name], input: value, message });
    }
    if (value.values !== 'disparity' || value.unit === 'relative' || value.scale !== undefined)
      return;
    const message =
      'disparity becomes metres by "scale": focal length (pixels) × baseline (metres); or set "unit: relative"';
    issues.push({ code: 'custom', path: ['values'], input: value, message });
  });

/**
 * Frames of a user-defined launch line: pictures (RGB, uint8), or depth of a camera or of a network that runs
 * in the line itself. Depth that is not valid stays so: 0, NaN, negative and infinite values.
 */
export const gstreamer = defineSource({
  name: 'gstreamer',
  summary: 'Reads pictures or depth from a GStreamer launch line.',
  emits: ({ format }: Options) => [format],
  live: ({ live }) => live,
  // Depth is resized and cropped by the operators themselves: a scaler would mix valid and invalid values.
  fuses: ({ format }) => format === 'image',
  options,
  facts: ({ intrinsics, unit, format }) => ({
    intrinsics: intrinsics !== undefined,
    ...(format === 'depth' && { unit: unit ?? 'm' }),
  }),
  examples: [
    { launch: 'v4l2src device=/dev/video2 ! video/x-raw,width=640,height=480' },
    { launch: 'filesrc location=clip.avi ! decodebin', live: false },
    {
      launch: 'v4l2src device=/dev/video4 ! video/x-raw,format=GRAY16_LE,width=640,height=480',
      format: 'depth',
    },
  ],

  reads: ({ launch }) => inputs(launch),

  launchLine: (options, context) => planLine(spec(options), context),

  create: async (options, context) => openSource(spec(options), context),
});

type Options = z.output<typeof options>;

/** Files that the elements of a launch line read; GStreamer resolves them from the working directory. */
function inputs(launch: string): PathUse[] {
  return [...launch.matchAll(fileProperty)].flatMap(([, name, quoted, bare]): PathUse[] => {
    const value = (quoted ?? (bare as string)).replace(/\\(.)/g, '$1');
    const path = name === 'uri' ? pathOfUri(value) : resolve(value);
    if (path === undefined) return [];
    // multifilesrc takes a pattern of names.
    const many = name === 'location' && path.includes('%');
    return [{ path: many ? dirname(path) : path, as: many ? 'folder' : 'file', option: 'launch' }];
  });
}

/** `location` of filesrc and its like, `uri` of uridecodebin and playbin; quoted, or with escaped characters. */
const fileProperty = /\b(location|uri)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s!"\\]|\\.)+))/gs;

function pathOfUri(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    // A stream, or not a URI at all: GStreamer reports that.
    return undefined;
  }
}

function spec(value: Options): SourceSpec {
  const { launch, live, restart, intrinsics, values = 'depth', scale, unit = 'm' } = value;
  const line = launch.replace(/[\s!]+$/, '').trim();
  const common =
    value.format === 'image'
      ? { head: { line, memory: 'decoded' as const }, tail: { live }, intrinsics }
      : {
          head: { line },
          tail: { live, caps: depthFilter },
          intrinsics,
          content: depthContent({ values, scale, unit }),
        };
  const capture = { what: 'launch line', restart };
  return live
    ? {
        ...common,
        kind: 'live',
        capture: { ...capture, waitForSource: value['wait-for-source'] },
      }
    : { ...common, kind: 'replay', capture };
}
