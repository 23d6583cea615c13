import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { restartSchema } from '../core/restart-budget.ts';
import { intrinsicsSchema } from '../depth/intrinsics-options.ts';
import { missingInput } from '../files/missing-input.ts';
import { openSource, planLine, type SourceSpec } from '../gstreamer/capture/source.ts';
import { quote } from '../gstreamer/launch-line.ts';
import { inspectContainer } from '../gstreamer/video-container.ts';

const options = z.strictObject({
  path: z.string().min(1).describe('video file in any container that GStreamer decodes'),
  loop: z.boolean().default(false).describe('restart at the end of the file, after a short pause'),
  realtime: z
    .boolean()
    .default(false)
    .describe('play at the speed of the video and drop frames like a camera, instead of waiting'),
  intrinsics: intrinsicsSchema.optional(),
  restart: restartSchema,
});

/**
 * Frames of a video file (RGB, uint8). A rotation tag is applied, audio is ignored. Completes at
 * the end of the file unless `loop` is set.
 */
export const videoFile = defineSource({
  name: 'video-file',
  summary: 'Reads a video file, as fast as the pipeline accepts frames or in real time.',
  emits: ['image'],
  live: ({ realtime }) => realtime,
  fuses: true,
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [{ path: 'clip.mp4' }, { path: 'clip.mkv', loop: true, realtime: true }],

  warnings: ({ path }, baseDirectory) => missingInput(path, baseDirectory),

  reads: ({ path }, baseDirectory) => [
    { path: resolvePath(baseDirectory, path), as: 'file', option: 'path' },
  ],

  launchLine: (options, context) => planLine(spec(options, context.baseDirectory), context),

  async create(options, context) {
    await checkReadable(resolvePath(context.baseDirectory, options.path), options.path);
    return openSource(spec(options, context.baseDirectory), context);
  },
});

function spec(
  { path, loop, realtime, restart, intrinsics }: z.output<typeof options>,
  baseDirectory: string,
): SourceSpec {
  const file = resolvePath(baseDirectory, path);
  const uri = quote(pathToFileURL(file).href);
  // Only video: an audio track that cannot be decoded here must not matter.
  const only = 'caps="video/x-raw(ANY)" expose-all-streams=false';
  return {
    kind: 'replay',
    head: { line: `uridecodebin uri=${uri} ${only}`, memory: 'decoded', tagged: true },
    tail: { live: realtime, paced: realtime },
    intrinsics,
    capture: { what: `video "${path}"`, loop, restart, inspect: () => inspectContainer(file) },
  };
}

async function checkReadable(path: string, asGiven: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DepthlineError(
      'SOURCE',
      missing
        ? `video "${asGiven}" does not exist: looked for ${path}`
        : `video "${asGiven}" cannot be read: check its permissions (${reason(error)})`,
      { cause: error },
    );
  }
  if (!(await stat(path)).isFile()) {
    throw new DepthlineError('SOURCE', `"${asGiven}" is not a file: "path" names one video file`);
  }
}
