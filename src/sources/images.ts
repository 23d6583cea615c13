import { relative } from 'node:path';
import { Observable } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthMap, Frame, FrameBase, ImageFrame } from '../core/frame.ts';
import { Pacer, ptsOf } from '../core/pacer.ts';
import type { Size } from '../core/size.ts';
import type { FrameGeometry } from '../depth/fuse-geometry.ts';
import {
  cameraIntrinsics,
  type IntrinsicsOptions,
  intrinsicsSchema,
} from '../depth/intrinsics-options.ts';
import { viewIntrinsics, wholeView } from '../depth/view.ts';
import type { RecordedGeometry } from '../files/geometry-text.ts';
import { missingInput } from '../files/missing-input.ts';
import type { FoundFrames, FrameFile, Outcome, ReadFrame } from '../files/read-frames.ts';
import { RecordedTimeline } from '../files/recorded-rows.ts';
import type { DecodedPicture } from '../imaging/decode.ts';
import { readableEndings } from '../imaging/picture-formats.ts';
import { pictureUses } from '../imaging/picture-uses.ts';

const options = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'folder, glob or file of JPEG, PNG, WebP, AVIF, GIF or TIFF pictures; or a folder with rgb/ and depth/',
      ),
    as: z
      .enum(['image', 'depth'])
      .default('image')
      .describe(
        'image: pictures; depth: recorded depth (16-bit PNG in millimetres, NumPy in metres), with its pictures from a folder with rgb/ and depth/',
      ),
    unit: z
      .enum(['m', 'relative'])
      .optional()
      .describe(
        'with as: depth, what the files hold: metres, or relative depth that a model without a scale gave (NumPy files do not say it); default: what index.csv says, else metres',
      ),
    depth: z
      .string()
      .min(1)
      .optional()
      .describe('folder or glob of 16-bit PNG in millimetres: the ground truth of the pictures'),
    fps: z.number().min(0.01).max(1000).default(30).describe('frames per second'),
    times: z
      .enum(['fps', 'index'])
      .default('fps')
      .describe(
        'fps: frames are numbered from 0 at `fps`; index: seq, pts and name of each frame from index.csv, as the file sink wrote it; only frames in it are read, in its order. The view, intrinsics and unit that index.csv holds count in both cases',
      ),
    loop: z.boolean().default(false).describe('start over at the end'),
    realtime: z
      .boolean()
      .default(false)
      .describe(
        'emit frames at their times (`fps`, or those of the index), instead of as fast as the pipeline accepts them',
      ),
    'on-error': z
      .enum(['fail', 'skip'])
      .default('fail')
      .describe('unreadable picture: end the run, or skip it and count it as dropped'),
    intrinsics: intrinsicsSchema.optional(),
  })
  .refine((o) => o.as === 'image' || o.depth === undefined, {
    path: ['depth'],
    error: 'is the ground truth of pictures; with "as: depth", path alone names the depth',
  });

type Options = z.output<typeof options>;

/**
 * Frames of picture files in natural order (RGB, uint8), upright as their EXIF orientation says.
 * Pictures with a depth file carry it as `truth`. With `as: depth`, frames of recorded depth.
 */
export const images = defineSource({
  name: 'images',
  summary: 'Reads pictures from a folder, with their ground truth if present, or recorded depth.',
  emits: ({ as }: Options) => [as],
  options,
  // An index beside the files may say more.
  facts: ({ intrinsics, unit, as }) => ({
    intrinsics: intrinsics !== undefined || undefined,
    unit: unit ?? (as === 'depth' ? undefined : 'm'),
  }),
  examples: [
    { path: 'photos' },
    { path: 'photos/*.jpg', fps: 5, loop: true, realtime: true },
    { path: 'recording/rgb', depth: 'recording/depth', 'on-error': 'skip' },
    { path: 'out/depth', as: 'depth', times: 'index', realtime: true },
  ],

  warnings: ({ path, depth }, baseDirectory) =>
    [path, depth ?? []].flat().flatMap((one) => missingInput(one, baseDirectory)),

  reads: ({ path, depth, as }, baseDirectory) => [
    ...pictureUses(path, 'path', baseDirectory, as === 'depth' ? withNpy : readableEndings),
    ...(depth === undefined ? [] : pictureUses(depth, 'depth', baseDirectory)),
  ],

  async create(options, context) {
    const { findFrames, readFrame } = await import('../files/read-frames.ts');
    const found = await findFrames(options, context.baseDirectory);
    const read = (file: FrameFile) => readFrame(file, context.baseDirectory);
    reportUnused(found, options, context);
    return new Observable<Frame>((subscriber) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, context.signal]);
      const emit = (frame: Frame) => subscriber.next(frame);
      deliver(found.files, read, options, context, signal, emit).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  },
});

const withNpy = [...readableEndings, 'npy'];

async function deliver(
  files: readonly FrameFile[],
  read: (file: FrameFile) => Promise<Outcome>,
  options: Options,
  context: ComponentContext,
  signal: AbortSignal,
  emit: (frame: Frame) => void,
): Promise<void> {
  const { fps, loop, realtime } = options;
  const { gate, clock } = context;
  const count = files.length;
  const pacer = new Pacer(clock, realtime ? fps : undefined);
  const recorded = new RecordedTimeline(ptsOf(1, fps));
  let readable = 0;
  let lastPts: bigint | undefined;
  let next = read(files[0] as FrameFile);
  for (let n = 0; loop || n < count; n++) {
    await gate.opened(signal);
    if (signal.aborted) return;
    const outcome = await next;
    const file = files[n % count] as FrameFile;
    const indexed = options.times === 'index' ? file.row : undefined;
    const time = indexed ? recorded.next(indexed) : { seq: n, pts: ptsOf(n, fps) };
    const recordedMs =
      indexed && realtime && lastPts !== undefined ? Number(time.pts - lastPts) / 1e6 : undefined;
    lastPts = time.pts;
    await pacer.wait(signal, recordedMs);
    await gate.opened(signal);
    if (signal.aborted) return;
    // Read one file ahead, while this one is in the pipeline.
    if (loop || n + 1 < count) next = read(files[(n + 1) % count] as FrameFile);
    if ('problem' in outcome) {
      const { problem } = outcome;
      if (options['on-error'] === 'fail') throw fatal(problem);
      context.log.warn(`skipped a picture: ${problem.message}`);
      context.dropped(1, 'unreadable');
      if (n + 1 >= count && readable === 0) throw nothingReadable(count, problem);
      continue;
    }
    readable++;
    const { pages = 1 } = outcome.picture ?? {};
    if (pages > 1 && n < count) {
      const path = nameOf(file.picture as string, context);
      context.log.warn(`"${path}" has ${pages} pictures; only the first is read`);
    }
    const base: FrameBase = {
      ...time,
      capturedAt: clock.wall(),
      source: context.name,
      name: indexed?.name ?? file.name,
    };
    const unit = options.unit ?? file.row?.unit ?? 'm';
    const geometryOf = (size: Size) => geometryOfFile(size, file.row, options.intrinsics);
    emit(frameOf(outcome, { ...options, unit }, base, geometryOf));
  }
}

/** View and intrinsics of a picture or depth map: what was recorded with it, and the options. */
function geometryOfFile(
  size: Size,
  row: RecordedGeometry | undefined,
  options: IntrinsicsOptions | undefined,
): FrameGeometry {
  const view = row?.view ?? wholeView(size);
  const camera = options ? cameraIntrinsics(options, view.source) : row?.camera;
  return { view, ...(camera && { intrinsics: viewIntrinsics(camera, view, size) }) };
}

function frameOf(
  { picture, depth }: ReadFrame,
  { as, unit }: Options,
  base: FrameBase,
  geometryOf: (size: Size) => FrameGeometry,
): Frame {
  const image = picture && imageOf(picture, { ...base, ...geometryOf(picture) });
  if (as === 'image') return { ...(image as ImageFrame), ...(depth && { truth: depth }) };
  const map = depth as DepthMap;
  return {
    ...base,
    ...geometryOf(map),
    kind: 'depth',
    ...map,
    ...(unit === 'relative' && { unit }),
    ...(image && { image }),
  };
}

function imageOf({ width, height, data }: DecodedPicture, base: FrameBase): ImageFrame {
  return { ...base, kind: 'image', width, height, format: 'rgb', data };
}

/** Reports files that are ignored, and frames without their other half. */
function reportUnused({ files, ignored }: FoundFrames, { as }: Options, context: ComponentContext) {
  const list = (paths: readonly string[]) => {
    const names = paths.slice(0, 3).map((path) => nameOf(path, context));
    return names.join(', ') + (paths.length > 3 ? ', …' : '');
  };
  if (ignored.length > 0) {
    const files = ignored.length === 1 ? '1 file' : `${ignored.length} files`;
    context.log.info(`${files} ignored: ${list(ignored)}`);
  }
  const [main, other] =
    as === 'image' ? (['picture', 'depth'] as const) : (['depth', 'picture'] as const);
  const bare = files.filter((file) => file[other] === undefined);
  // None has one: it was not asked for.
  if (bare.length === 0 || bare.length === files.length) return;
  const what = as === 'image' ? ['pictures', 'depth picture'] : ['depth maps', 'picture'];
  context.log.warn(
    `${bare.length} of ${files.length} ${what[0]} have no ${what[1]}: ${list(bare.map((file) => file[main] as string))}`,
  );
}

function nameOf(path: string, { baseDirectory }: Pick<ComponentContext, 'baseDirectory'>): string {
  return relative(baseDirectory, path);
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
