import { access, constants } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { z } from 'zod';
import { byteSize } from '../core/bytes.ts';
import { defineSink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { makeFolder } from '../core/make-folder.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { positiveDuration } from '../core/units.ts';
import { metricProblems } from '../depth/relative.ts';
import { lockPlace } from '../files/place-lock.ts';
import { findRecordings, recordingPath } from '../files/recordings.ts';
import {
  expandTime,
  fieldsAreKnown,
  hasTime,
  staticPart,
  staysInside,
} from '../files/time-fields.ts';
import { sinkError } from '../files/write-problem.ts';
import { alreadyThere } from '../mcap/already-there.ts';
import { compressions } from '../mcap/compression.ts';
import { messageOptions } from '../ros/message-options.ts';

const options = z.strictObject({
  path: z
    .string()
    .regex(/[^/]\.mcap$/, { error: 'must end in .mcap' })
    .refine(fieldsAreKnown, {
      error: 'has an unknown time field; use those of strftime, and %% for a percent sign',
    })
    .refine(staysInside, { error: 'must not contain ".." after a time field' })
    .describe(
      'output file; may contain strftime fields, filled in with the local capture time of the first frame (out/%Y-%m-%d/%H%M%S.mcap)',
    ),
  encoding: z
    .enum(['ros2', 'foxglove'])
    .default('ros2')
    .describe(
      'ros2: messages of ROS 2 (CDR), which "ros2 bag" and Foxglove read; foxglove: messages of Foxglove (protobuf and JSON)',
    ),
  compression: z
    .enum(compressions)
    .default('zstd')
    .describe('of chunks, in a thread of its own; zstd makes the smallest files'),
  chunk: byteSize()
    .default(1_000_000)
    .describe(
      'a chunk is written when it holds this much before compression, or after 1 s; when the process is killed, the last chunk is lost; default: 1MB',
    ),
  'rotate-size': byteSize().optional().describe('begin a new file when this one is larger'),
  'rotate-every': positiveDuration()
    .optional()
    .describe('begin a new file after this time, with the first frame that comes then'),
  existing: z
    .enum(['append', 'fail'])
    .default('append')
    .describe(
      'existing recordings: append keeps them and numbers the new one (NAME-2.mcap), fail reports an error',
    ),
  ...messageOptions,
});

type Options = z.output<typeof options>;

/**
 * Records everything that a frame carries: picture, depth, points or data, calibration, transforms,
 * and beside it what those messages cannot say (seq, pts, view, stage times, frames dropped before it)
 * and the ledger of the run, once a second. Depth follows REP 118. All times are capture times. The
 * file is written as `NAME.recording.mcap` and renamed when it is complete; existing files are not
 * replaced. After a crash or a power cut `depthline recover` makes what was written whole.
 */
export const mcap = defineSink({
  name: 'mcap',
  summary: 'Records frames and the ledger to MCAP files, which ROS 2 and Foxglove read.',
  accepts: ['depth', 'image', 'points', 'data'],
  options,
  examples: [
    { path: 'out/run.mcap' },
    { path: 'out/%Y-%m-%d/%H%M%S.mcap', 'rotate-size': '2GB', 'rotate-every': '10min' },
    { path: 'out/small.mcap', pictures: 'jpeg', depth: '16UC1', compression: 'lz4' },
    {
      path: 'out/robot.mcap',
      encoding: 'foxglove',
      'frame-id': 'front_optical',
      mount: { parent: 'base_link', position: [0.1, 0, 0.3], rotation: [0, 10, 0] },
    },
  ],
  writes: ({ path }, baseDirectory) => [
    { path: resolvePath(baseDirectory, expandTime(path, now())), as: 'file', option: 'path' },
  ],
  check: ({ depth }, { arriving }) =>
    depth === '16UC1'
      ? metricProblems(arriving, 'depth', '16UC1 is in millimetres', 'use 32FC1')
      : [],
  async create(options, context) {
    await prepare(options, context);
    const { openRecorder } = await import('../mcap/open-recorder.ts');
    const { path, mount } = options;
    const recorder = await openRecorder(
      {
        ...options,
        mount,
        frameId: options['frame-id'],
        chunkBytes: options.chunk,
        rotate: { bytes: options['rotate-size'], ms: options['rotate-every'] },
        pathOf: ({ capturedAt }) =>
          resolvePath(context.baseDirectory, expandTime(path, capturedAt)),
      },
      context,
    );
    context.defer(() => recorder.close());
    context.summary(() => ({
      path: recorder.path ?? resolvePath(context.baseDirectory, path),
      frames: recorder.frames,
      ...(recorder.files > 1 && { files: recorder.files }),
      ...(recorder.relative && { unit: 'relative' }),
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
  const { baseDirectory, log } = context;
  const absolute = resolvePath(baseDirectory, path);
  const directory = hasTime(path)
    ? resolvePath(baseDirectory, staticPart(path))
    : dirname(absolute);
  try {
    await makeFolder(directory);
    await access(directory, constants.W_OK);
    const lock = await lockPlace(directory, relative(directory, absolute));
    context.defer(() => lock.release());
    if (hasTime(path)) return;
    const { last } = await findRecordings(absolute);
    if (last === 0) return;
    if (existing === 'fail') throw alreadyThere(absolute);
    const name = relative(baseDirectory, recordingPath(absolute, last + 1));
    log.info(`earlier recordings exist; this one is ${name}`);
  } catch (error) {
    throw sinkError(directory, error);
  }
}
