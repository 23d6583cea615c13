import { constants, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { capture } from '../gstreamer/capture.ts';
import { type Head, quote } from '../gstreamer/launch-line.ts';
import { restartSchema } from '../gstreamer/restart-budget.ts';
import { launchLineHere } from '../gstreamer/source.ts';

const options = z.strictObject({
  path: z.string().min(1).describe('video file in any container that GStreamer decodes'),
  loop: z.boolean().default(false).describe('begin again at the end'),
  realtime: z
    .boolean()
    .default(false)
    .describe(
      'play at the speed of the video, like a camera, instead of as fast as frames are asked for',
    ),
  restart: restartSchema,
});

type Options = z.output<typeof options>;

/** Frames of a video file. Its rotation tag is honoured. */
export const videoFile = defineSource({
  name: 'video-file',
  summary: 'Reads a video file, as fast as the pipeline takes frames or in real time.',
  emits: ['image'],
  live: ({ realtime }) => realtime,
  fuses: true,
  options,
  examples: [{ path: 'clip.mp4' }, { path: 'clip.mkv', loop: true, realtime: true }],

  launchLine(options, { fused, baseDirectory }) {
    return launchLineHere(head(options, baseDirectory), fused, tail(options));
  },

  async create(options, context) {
    const path = resolve(context.baseDirectory, options.path);
    await checkReadable(path, options.path);
    const line = await launchLineHere(
      head(options, context.baseDirectory),
      context.fused,
      tail(options),
    );
    context.log.debug(`launch line: ${line}`);
    return capture(
      {
        what: `video "${options.path}"`,
        launchLine: () => line,
        live: options.realtime,
        steady: false,
        loop: options.loop,
        seekable: true,
        restart: options.restart,
      },
      context,
    );
  },
});

function head({ path }: Options, baseDirectory: string): Head {
  const uri = quote(pathToFileURL(resolve(baseDirectory, path)).href);
  // Only video: an audio track that cannot be decoded here must not matter.
  const only = 'caps="video/x-raw(ANY)" expose-all-streams=false';
  return { line: `uridecodebin uri=${uri} ${only} ! videoconvert ! videoflip method=automatic` };
}

function tail({ realtime }: Options) {
  return { live: realtime, paced: realtime };
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
        : `video "${asGiven}" cannot be read (${reason(error)}): check its permissions`,
      { cause: error },
    );
  }
  if (!statSync(path).isFile()) {
    throw new DepthlineError('SOURCE', `"${asGiven}" is not a file: "path" names one video file`);
  }
}
