import { relative } from 'node:path';
import { Observable } from 'rxjs';
import { z } from 'zod';
import { type ComponentContext, defineSource } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { Pacer, ptsOf } from '../core/pacer.ts';
import { intrinsicsOfFrames, intrinsicsSchema } from '../depth/intrinsics.ts';
import { decodeRgb } from '../imaging/decode.ts';
import { readDepthFile } from '../imaging/depth-file.ts';
import { findPictures, type PictureFiles } from '../imaging/picture-files.ts';

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('folder, glob or file of JPEG, PNG, WebP or TIFF; or a folder with rgb/ and depth/'),
  depth: z
    .string()
    .min(1)
    .optional()
    .describe('folder or glob of 16-bit PNG in millimetres that become the truth of the pictures'),
  fps: z.number().min(0.01).max(1000).default(30).describe('frames per second'),
  loop: z.boolean().default(false).describe('begin again at the end'),
  realtime: z
    .boolean()
    .default(false)
    .describe('give frames at `fps`, instead of as fast as the pipeline takes them'),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('an unreadable file ends the run, or is left out and counted as dropped'),
  intrinsics: intrinsicsSchema.optional(),
});

type Options = z.output<typeof options>;

/** A picture that was read, or what was wrong with it. */
type Outcome =
  | {
      readonly picture: Awaited<ReturnType<typeof decodeRgb>>;
      readonly truth: DepthMap | undefined;
    }
  | { readonly error: DepthlineError };

/**
 * Frames of picture files in natural order (RGB, uint8), upright as their EXIF orientation says.
 * Pictures with a depth file carry it as `truth`.
 */
export const images = defineSource({
  name: 'images',
  summary: 'Reads pictures from a folder, with their true depth if it is there.',
  emits: ['image'],
  options,
  examples: [
    { path: 'photos' },
    { path: 'photos/*.jpg', fps: 5, loop: true, realtime: true },
    { path: 'recording/rgb', depth: 'recording/depth', 'on-error': 'skip' },
  ],

  async create(options, context) {
    const files = await findPictures(options.path, options.depth, context.baseDirectory);
    return new Observable<ImageFrame>((subscriber) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, context.signal]);
      const emit = (frame: ImageFrame) => subscriber.next(frame);
      deliver(files, options, context, signal, emit).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  },
});

async function deliver(
  files: PictureFiles,
  options: Options,
  context: ComponentContext,
  signal: AbortSignal,
  emit: (frame: ImageFrame) => void,
): Promise<void> {
  const { fps, loop, realtime } = options;
  const { gate, clock } = context;
  const count = files.pictures.length;
  const pacer = new Pacer(clock, realtime ? fps : undefined);
  const intrinsicsOf = intrinsicsOfFrames(options.intrinsics, undefined, []);
  let readable = 0;
  let next = read(files, 0, context);
  for (let seq = 0; loop || seq < count; seq++) {
    await gate.opened(signal);
    if (signal.aborted) return;
    const outcome = await next;
    await pacer.wait(signal);
    await gate.opened(signal);
    if (signal.aborted) return;
    // One file ahead: it is read while this one goes through the pipeline.
    if (loop || seq + 1 < count) next = read(files, (seq + 1) % count, context);
    if ('error' in outcome) {
      if (options['on-error'] === 'fail') throw outcome.error;
      context.log.warn(`skipped: ${outcome.error.message}`);
      context.dropped(1, 'unreadable');
      if (seq + 1 >= count && readable === 0) throw nothingReadable(count, outcome.error);
      continue;
    }
    readable++;
    const { picture, truth } = outcome;
    const intrinsics = intrinsicsOf?.(picture.width, picture.height);
    emit({
      kind: 'image',
      seq,
      pts: ptsOf(seq, fps),
      capturedAt: clock.wall(),
      source: context.name,
      ...(intrinsics && { intrinsics }),
      ...(truth && { truth }),
      ...picture,
      format: 'rgb',
    });
  }
}

async function read(
  { pictures, depths }: PictureFiles,
  index: number,
  { baseDirectory }: ComponentContext,
): Promise<Outcome> {
  const path = pictures[index] as string;
  const depth = depths?.[index];
  try {
    const [picture, truth] = await Promise.all([
      decodeRgb(path).catch(unreadable(path, baseDirectory)),
      depth === undefined
        ? undefined
        : readDepthFile(depth).catch(unreadable(depth, baseDirectory)),
    ]);
    return { picture, truth };
  } catch (error) {
    return { error: error as DepthlineError };
  }
}

function unreadable(path: string, baseDirectory: string): (error: unknown) => never {
  return (error) => {
    const message = `cannot read "${relative(baseDirectory, path)}": ${reason(error)}; replace the file, or set on-error: skip`;
    throw new DepthlineError('SOURCE', message, { cause: error });
  };
}

function nothingReadable(count: number, last: DepthlineError): DepthlineError {
  return new DepthlineError('SOURCE', `none of ${count} files is readable; ${last.message}`, {
    cause: last,
  });
}
