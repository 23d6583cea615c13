import { access, constants } from 'node:fs/promises';
import { dirname, extname, relative } from 'node:path';
import { z } from 'zod';
import { defineSink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { minBelowMax } from '../core/interval.ts';
import { makeFolder } from '../core/make-folder.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { liveLook, lookOptions } from '../depth/look-options.ts';
import { metricLookProblems } from '../depth/relative.ts';
import { lockPlace } from '../files/place-lock.ts';
import { findRecordings, recordingPath, requireReplaceable } from '../files/recordings.ts';
import {
  expandTime,
  fieldsAreKnown,
  hasTime,
  staticPart,
  staysInside,
} from '../files/time-fields.ts';
import { sinkError } from '../files/write-problem.ts';
import { type Container, codecs } from '../gstreamer/output/encoders.ts';
import { alreadyThere, existingRecording, Recorder } from '../gstreamer/output/recorder.ts';

const options = minBelowMax(
  z
    .strictObject({
      path: z
        .string()
        .regex(/[^/]\.(mkv|mp4)$/, { error: 'must end in .mkv or .mp4' })
        .refine(fieldsAreKnown, {
          error: 'has an unknown time field; use those of strftime, and %% for a percent sign',
        })
        .refine(staysInside, { error: 'must not contain ".." after a time field' })
        .describe(
          'output file; may contain strftime fields, filled in with the local capture time of the first frame (out/%Y-%m-%d/%H%M.mkv). An interrupted .mkv can be played, an interrupted .mp4 cannot',
        ),
      existing: z
        .enum(existingRecording)
        .default('append')
        .describe(
          'existing recordings: append keeps them and numbers the new one (NAME-2.mkv), replace replaces the file of that name once the new one is complete, fail reports an error',
        ),
      codec: z
        .enum(codecs)
        .default('auto')
        .describe('auto: h264 if there is an encoder, else vp8 or mjpeg; .mp4 holds h264 only'),
      quality: z
        .int()
        .min(1)
        .max(100)
        .default(80)
        .describe('1 to 100; not used if bitrate is given'),
      bitrate: z
        .int()
        .min(16)
        .max(500_000)
        .optional()
        .describe('kbit/s, instead of quality (h264 and vp8)'),
      fps: z
        .number()
        .min(0.1)
        .max(1000)
        .optional()
        .describe('playback rate, frames per second; default: frames keep their capture times'),
      ...lookOptions,
    })
    .refine(({ path, codec }) => path.endsWith('.mkv') || codec === 'auto' || codec === 'h264', {
      path: ['codec'],
      error: '.mp4 holds h264 only; write to a .mkv file for vp8 and mjpeg',
    })
    .refine(({ codec, bitrate }) => codec !== 'mjpeg' || bitrate === undefined, {
      path: ['bitrate'],
      error: 'mjpeg has no bitrate; use quality',
    }),
);

type Options = z.output<typeof options>;

/**
 * Encodes pictures to a video file in a separate process. The file is written as
 * `NAME.recording.mkv` and renamed when it is complete: at the end of the run, after Ctrl-C, and even
 * if this process is killed. Existing files are not replaced unless `existing: replace` is set: if
 * `NAME.mkv` exists, the recording becomes `NAME-2.mkv`. An interrupted recording keeps the name
 * `NAME.recording.mkv`. If the encoder crashes, recording continues in a new, numbered file.
 */
export const video = defineSink({
  name: 'video',
  summary: 'Records pictures, or depth beside its picture, to a Matroska or MP4 file.',
  accepts: ['image', 'depth'],
  options,
  examples: [
    { path: 'out/depth.mkv' },
    { path: 'out/%Y-%m-%d/%H%M%S.mkv', existing: 'fail' },
    { path: 'out/depth.mp4', codec: 'h264', bitrate: 4000 },
    { path: 'out/slow.mkv', codec: 'mjpeg', quality: 90, fps: 10 },
  ],
  writes: ({ path }, baseDirectory) => [
    { path: resolvePath(baseDirectory, expandTime(path, now())), as: 'file', option: 'path' },
  ],
  check: (options, { arriving }) => metricLookProblems(options, arriving),
  adjustable: liveLook,
  async create(options, context) {
    const { path, codec, quality, bitrate, fps, existing } = options;
    await prepare(options, context);
    const { DepthView } = await import('../imaging/depth-view.ts');
    const view = new DepthView(options);
    context.onAdjust<Options>((changed) => view.adjust(changed));
    const recorder = new Recorder(
      {
        what: path,
        container: extname(path).slice(1) as Container,
        codec,
        quality,
        bitrate,
        fps,
        existing,
        pathOf: ({ capturedAt }) =>
          resolvePath(context.baseDirectory, expandTime(path, capturedAt)),
      },
      context,
      view,
    );
    context.defer(() => recorder.stop());
    await recorder.open();
    context.defer(() => recorder.close());
    context.summary(() => ({
      path: recorder.path ?? resolvePath(context.baseDirectory, path),
      frames: recorder.frames,
      encoder: recorder.encoder,
    }));
    return recorder;
  },
});

/** For the check of paths: fields of a template are filled in with the current time. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Checks before the first frame whether the file can be written. */
async function prepare({ path, existing }: Options, context: ComponentContext): Promise<void> {
  const { baseDirectory } = context;
  const directory = resolvePath(baseDirectory, hasTime(path) ? staticPart(path) : dirname(path));
  try {
    await makeFolder(directory);
    await access(directory, constants.W_OK);
    const template = relative(directory, resolvePath(baseDirectory, path));
    const lock = await lockPlace(directory, template);
    context.defer(() => lock.release());
    if (!hasTime(path)) await checkExisting(resolvePath(baseDirectory, path), existing, context);
  } catch (error) {
    throw sinkError(directory, error);
  }
}

/** Applies `existing` to earlier recordings. */
async function checkExisting(
  path: string,
  existing: Options['existing'],
  { log, baseDirectory }: ComponentContext,
): Promise<void> {
  const { last } = await findRecordings(path);
  const name = (file: string) => relative(baseDirectory, file);
  if (existing === 'fail' && last > 0) throw alreadyThere(path);
  if (existing === 'replace') await requireReplaceable(path);
  if (existing === 'append' && last > 0)
    log.info(`earlier recordings exist; this one is ${name(recordingPath(path, last + 1))}`);
}
