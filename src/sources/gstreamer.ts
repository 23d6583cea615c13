import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { defineSource, type PathUse } from '../core/component.ts';
import { restartSchema, waitForSource } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';

const options = z.strictObject({
  launch: z
    .string()
    .regex(/[^\s!]/, { error: 'must be a launch line, such as "videotestsrc"' })
    .describe('launch line up to raw video; conversion to RGB and the sink are appended'),
  live: z
    .boolean()
    .default(true)
    .describe('true for a camera, which drops frames that are not read in time'),
  intrinsics: intrinsicsSchema.optional(),
  'wait-for-source': waitForSource,
  restart: restartSchema,
});

/** Frames of a user-defined launch line (RGB, uint8). */
export const gstreamer = defineSource({
  name: 'gstreamer',
  summary: 'Reads frames from a GStreamer launch line.',
  emits: ['image'],
  live: ({ live }) => live,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [
    { launch: 'v4l2src device=/dev/video2 ! video/x-raw,width=640,height=480' },
    { launch: 'filesrc location=clip.avi ! decodebin', live: false },
  ],

  reads: ({ launch }) => inputs(launch),

  launchLine: (options, context) => planLine(spec(options), context),

  create: async (options, context) => openSource(spec(options), context),
});

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

function spec(value: z.output<typeof options>): SourceSpec {
  const { launch, live, restart, intrinsics } = value;
  const common = {
    head: { line: launch.replace(/[\s!]+$/, '').trim(), memory: 'decoded' as const },
    tail: { live },
    intrinsics,
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
