import { relative } from 'node:path';
import { Observable } from 'rxjs';
import { z } from 'zod';
import { type ComponentContext, defineSource } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { Pacer, ptsOf } from '../core/pacer.ts';
import { geometryOfFrames } from '../depth/fuse-geometry.ts';
import { intrinsicsSchema } from '../depth/intrinsics.ts';
import { decodeRgb } from '../imaging/decode.ts';
import { readDepthFile } from '../imaging/depth-file.ts';
import { findPictures, type PictureFiles } from '../imaging/picture-files.ts';
import { pictureUses } from '../imaging/picture-uses.ts';

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'folder, glob or file of JPEG, PNG, WebP, AVIF, GIF or TIFF pictures; or a folder with rgb/ and depth/',
    ),
  depth: z
    .string()
    .min(1)
    .optional()
    .describe('folder or glob of 16-bit PNG in millimetres: the ground truth of the pictures'),
  fps: z.number().min(0.01).max(1000).default(30).describe('frames per second'),
  loop: z.boolean().default(false).describe('start over at the end'),
  realtime: z
    .boolean()
    .default(false)
    .describe('emit frames at `fps`, instead of as fast as the pipeline accepts them'),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('unreadable picture: end the run, or skip it and count it as dropped'),
  intrinsics: intrinsicsSchema.optional(),
});

type Options = z.output<typeof options>;

/** A picture that was read, or the reason why it was not. */
type Outcome =
  | {
      readonly picture: Awaited<ReturnType<typeof decodeRgb>>;
      readonly truth: DepthMap | undefined;
    }
  | { readonly problem: DepthlineError };

/**
 * Frames of picture files in natural order (RGB, uint8), upright as their EXIF orientation says.
 * Pictures with a depth file carry it as `truth`.
 */
export const images = defineSource({
  name: 'images',
  summary: 'Reads pictures from a folder, with their ground truth if present.',
  emits: ['image'],
  options,
  facts: ({ intrinsics }) => ({ intrinsics: intrinsics !== undefined }),
  examples: [
    { path: 'photos' },
    { path: 'photos/*.jpg', fps: 5, loop: true, realtime: true },
    { path: 'recording/rgb', depth: 'recording/depth', 'on-error': 'skip' },
  ],

  reads: ({ path, depth }, baseDirectory) => [
    ...pictureUses(path, 'path', baseDirectory),
    ...(depth === undefined ? [] : pictureUses(depth, 'depth', baseDirectory)),
  ],

  async create(options, context) {
    const files = await findPictures(options.path, options.depth, context.baseDirectory);
    reportUnused(files, context);
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
  const geometryOf = geometryOfFrames(options.intrinsics, undefined, []);
  let readable = 0;
  let next = read(files, 0, context);
  for (let seq = 0; loop || seq < count; seq++) {
    await gate.opened(signal);
    if (signal.aborted) return;
    const outcome = await next;
    await pacer.wait(signal);
    await gate.opened(signal);
    if (signal.aborted) return;
    // Read one file ahead, while this one is in the pipeline.
    if (loop || seq + 1 < count) next = read(files, (seq + 1) % count, context);
    if ('problem' in outcome) {
      const { problem } = outcome;
      if (options['on-error'] === 'fail') throw fatal(problem);
      context.log.warn(`skipped a picture: ${problem.message}`);
      context.dropped(1, 'unreadable');
      if (seq + 1 >= count && readable === 0) throw nothingReadable(count, problem);
      continue;
    }
    readable++;
    const { picture, truth } = outcome;
    const { pages, ...pixels } = picture;
    if (pages > 1 && seq < count) {
      const path = nameOf(files.pictures[seq] as string, context);
      context.log.warn(`"${path}" has ${pages} pictures; only the first is read`);
    }
    emit({
      kind: 'image',
      seq,
      pts: ptsOf(seq, fps),
      capturedAt: clock.wall(),
      source: context.name,
      name: files.names[seq % count] as string,
      ...geometryOf(picture),
      ...(truth && { truth }),
      ...pixels,
      format: 'rgb',
    });
  }
}

/** Reports files that are ignored and pictures without depth. */
function reportUnused({ pictures, depths, ignored }: PictureFiles, context: ComponentContext) {
  const list = (paths: readonly string[]) => {
    const names = paths.slice(0, 3).map((path) => nameOf(path, context));
    return names.join(', ') + (paths.length > 3 ? ', …' : '');
  };
  if (ignored.length > 0) context.log.info(`${ignored.length} files ignored: ${list(ignored)}`);
  const bare = depths ? pictures.filter((_, i) => depths[i] === undefined) : [];
  if (bare.length === 0) return;
  context.log.warn(
    `${bare.length} of ${pictures.length} pictures have no depth picture: ${list(bare)}`,
  );
}

function nameOf(path: string, { baseDirectory }: Pick<ComponentContext, 'baseDirectory'>): string {
  return relative(baseDirectory, path);
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
    return { problem: error as DepthlineError };
  }
}

function unreadable(path: string, baseDirectory: string): (error: unknown) => never {
  return (error) => {
    const message = `cannot read "${nameOf(path, { baseDirectory })}": ${reason(error)}`;
    throw new DepthlineError('SOURCE', message, { cause: error });
  };
}

/** The error that ends a run. */
function fatal({ message, cause }: DepthlineError): DepthlineError {
  const advice = 'remove the file or set "on-error: skip"';
  return new DepthlineError('SOURCE', `${message}; ${advice}`, { cause });
}

function nothingReadable(count: number, last: DepthlineError): DepthlineError {
  return new DepthlineError('SOURCE', `none of ${count} pictures can be read: ${last.message}`, {
    cause: last,
  });
}
