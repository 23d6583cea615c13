import { Observable } from 'rxjs';
import { z } from 'zod';
import { defineSource } from '../core/component.ts';
import type { PathUse } from '../core/component-facts.ts';
import { reason } from '../core/errors.ts';
import type { Frame, StereoFrame } from '../core/frame.ts';
import { isNested, type NestedSource, nestedSource } from '../core/nested-source.ts';
import type { ValueProblem } from '../core/option-problems.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { duration } from '../core/units.ts';
import { readRig } from '../stereo/calibration-file.ts';
import type { Rig } from '../stereo/camera-model.ts';
import { halves } from '../stereo/halves.ts';
import { isLive, kindsOf } from '../stereo/nested.ts';
import { PairFeed } from '../stereo/pair-feed.ts';
import { RectifyThread, scaledRig } from '../stereo/rectify-thread.ts';

const path = z.string().min(1);

const options = z
  .strictObject({
    left: nestedSource().optional().describe('source of the left pictures, as in a pipeline file'),
    right: nestedSource().optional().describe('source of the right pictures'),
    'side-by-side': nestedSource()
      .optional()
      .describe(
        'one source whose pictures hold both eyes, the left one in their left half; instead of left and right',
      ),
    'max-skew': duration()
      .default(5)
      .describe(
        'most time between the two frames of a pair; a frame without a partner is dropped; default: 5ms',
      ),
    times: z
      .enum(['auto', 'capture', 'pts'])
      .default('auto')
      .describe(
        'the times that pair frames: capture, that of their capture; pts, their presentation time; auto, capture where a source is a camera, else pts',
      ),
    'right-delay': duration()
      .default(0)
      .describe(
        'time that the right frames are later than the left ones, a constant of the cameras; default: 0ms',
      ),
    calibration: z
      .union([path, z.tuple([path, path])])
      .optional()
      .describe(
        'calibration of both cameras, from which pairs are rectified: a file of OpenCV (YAML or XML), or the two files of ROS (camera_info, YAML), the left one first',
      ),
    'calibration-unit': z
      .number()
      .positive()
      .default(1)
      .describe('metres per unit of length in a file of OpenCV: 0.001 for millimetres'),
    baseline: z
      .number()
      .positive()
      .max(10)
      .optional()
      .describe(
        'distance between the lenses, metres, of cameras whose pictures are rectified already; set intrinsics on the left source too',
      ),
  })
  .refine((o) => o.baseline === undefined || o.calibration === undefined, {
    path: ['baseline'],
    error: 'is in the calibration; remove one of the two',
  })
  .refine(
    (o) =>
      o['side-by-side'] === undefined
        ? o.left !== undefined && o.right !== undefined
        : o.left === undefined && o.right === undefined,
    { error: 'needs either left and right, or side-by-side' },
  );

type Options = z.output<typeof options>;

const nested = ['left', 'right', 'side-by-side'] as const;

/**
 * Pairs of pictures of two cameras, or of other sources, by the times of their frames. One pair counts
 * once; a frame whose partner does not come within `max-skew` is dropped, `no partner`. Two sources of files
 * wait for each other, two cameras do not.
 *
 * With a calibration pairs are rectified in a thread of their own, and carry the intrinsics of the rectified
 * left camera and the baseline.
 */
export const stereo = defineSource({
  name: 'stereo',
  summary: 'Pairs the pictures of two sources by their times, or splits those of one.',
  emits: ['stereo'],
  live: (given: Options) => sourcesOf(given).some(isLive),
  nested,
  options,
  facts: ({ calibration, baseline, ...given }: Options) => ({
    baseline: calibration !== undefined || baseline !== undefined,
    intrinsics:
      calibration !== undefined ||
      sourcesOf(given)[0]?.definition.facts?.(sourcesOf(given)[0]?.options).intrinsics,
  }),
  examples: [
    {
      left: { 'usb-camera': { device: '/dev/video0' } },
      right: { 'usb-camera': { device: '/dev/video2' } },
      'max-skew': '5ms',
      calibration: 'rig.yaml',
    },
    {
      'side-by-side': { 'usb-camera': { device: '/dev/video0', width: 1280, height: 480 } },
      calibration: ['left.yaml', 'right.yaml'],
    },
    {
      left: { images: { path: 'left', intrinsics: { 'field-of-view': 65 } } },
      right: { images: { path: 'right' } },
      baseline: 0.12,
    },
  ] as never[],

  reads(given, baseDirectory) {
    const { calibration } = given;
    const own = calibration === undefined ? [] : [calibration].flat();
    const files = own.map(
      (file): PathUse => ({
        path: resolvePath(baseDirectory, file),
        as: 'file',
        option: 'calibration',
      }),
    );
    return [
      ...files,
      ...sourcesOf(given).flatMap(
        ({ definition, options }) => definition.reads?.(options, baseDirectory) ?? [],
      ),
    ];
  },

  claims: (given) =>
    nested.flatMap((side) => {
      const source = given[side] as NestedSource | undefined;
      const claims = source?.definition.claims?.(source.options) ?? [];
      return claims.map((claim) => ({ ...claim, option: side }));
    }),

  warnings: (given, baseDirectory) => [
    ...sourcesOf(given).flatMap(
      ({ definition, options }) => definition.warnings?.(options, baseDirectory) ?? [],
    ),
    ...skewWarnings(given),
  ],

  async check(given, context) {
    const problems: ValueProblem[] = [];
    for (const side of nested) {
      const source = given[side];
      if (!isNested(source)) continue;
      const wrong = kindsOf(source).find((kind) => kind !== 'image');
      if (wrong)
        problems.push({
          path: [side],
          message: `${source.definition.name} emits ${wrong} frames here; a pair is made of pictures`,
        });
      const found = (await source.definition.check?.(source.options, context)) ?? [];
      problems.push(
        ...found.map((one) => ({ ...one, path: [side, source.definition.name, ...one.path] })),
      );
    }
    if (given.calibration === undefined) return problems;
    try {
      const rig = await rigOf(given, context.baseDirectory);
      const size = pictureSizeOf(given);
      if (size) scaledRig(rig, size);
    } catch (error) {
      problems.push({ path: ['calibration'], message: reason(error) });
    }
    return problems;
  },

  async create(given, context) {
    const { calibration, baseline, 'max-skew': maxSkewMs, 'right-delay': delayMs } = given;
    const rig = calibration === undefined ? undefined : await rigOf(given, context.baseDirectory);
    const thread = rig && new RectifyThread(rig);
    if (thread) context.defer(() => thread.close());
    const finish = (pair: StereoFrame): StereoFrame | Promise<StereoFrame> => {
      if (thread) return thread.run(pair);
      return baseline === undefined ? pair : { ...pair, baseline, rectified: true };
    };
    const whole = given['side-by-side'];
    const parts = { context, finish, live: sourcesOf(given).some(isLive) };
    if (whole) return new Observable<Frame>(await PairFeed.ofOne(whole, halves, parts));
    const times = given.times === 'auto' ? (parts.live ? 'capture' : 'pts') : given.times;
    const [left, right] = sourcesOf(given) as [NestedSource, NestedSource];
    const matching = { times, maxSkewMs, delayMs } as const;
    return new Observable<Frame>(await PairFeed.ofTwo(left, right, matching, parts));
  },
});

function sourcesOf(given: Partial<Options>): NestedSource[] {
  return nested.flatMap((side) => {
    const source = given[side];
    return isNested(source) ? source : [];
  });
}

/** A frame has one possible partner only within half the time between frames. */
function skewWarnings(given: Options): string[] {
  if (given['side-by-side'] !== undefined) return [];
  const rates = sourcesOf(given)
    .filter(isLive)
    .map(({ options }) => (options as { readonly fps?: number }).fps ?? 0);
  const half = 500 / Math.max(...rates, 1);
  if (given['max-skew'] <= half) return [];
  return [
    `max-skew is more than half the time between frames (${half.toFixed(1)} ms); frames may be paired that do not belong together`,
  ];
}

/** @throws DepthlineError `CONFIG` if the calibration is missing or cannot be used */
function rigOf(given: Options, baseDirectory: string): Promise<Rig> {
  const files = [given.calibration ?? []].flat();
  return readRig(files, baseDirectory, given['calibration-unit'], pictureSizeOf(given));
}

/** Of each eye, where the options say it. */
function pictureSizeOf(given: Options) {
  const [source] = sourcesOf(given);
  const size = source?.definition.pictureSize?.(source.options, []);
  return size && given['side-by-side'] ? { ...size, width: size.width / 2 } : size;
}
