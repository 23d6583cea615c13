import { z } from 'zod';
import { interval } from '../core/interval.ts';
import { duration } from '../core/units.ts';
import { outlineProblem } from './outline.ts';
import { zoneName } from './zones-value.ts';

const share = () => z.number().min(0).max(1);
const metres = () => z.number().min(-1000).max(1000);

const box = z
  .tuple([share(), share(), share(), share()])
  .refine(([left, top, right, bottom]) => left < right && top < bottom, {
    error: 'needs left below right and top below bottom',
  })
  .describe(
    'left, top, right, bottom, as shares of the source’s picture: 0 to 1 from its top left corner',
  );

const polygon = z
  .array(z.tuple([share(), share()]))
  .min(3)
  .max(100)
  .superRefine((corners, { addIssue }) => {
    const message = outlineProblem(corners);
    if (message !== undefined) addIssue({ code: 'custom', message });
  })
  .describe(
    'corners [x, y] in their order, as shares of the source’s picture: 0 to 1 from its top left corner',
  );

const space = z
  .strictObject({
    x: interval(metres()).describe('from, to: right of the camera, metres'),
    y: interval(metres()).describe('from, to: below the camera, metres'),
    z: interval(metres()).describe('from, to: in front of the camera, metres'),
  })
  .describe('a box in space, in camera coordinates; needs intrinsics');

const zone = z
  .strictObject({
    box: box.optional(),
    polygon: polygon.optional(),
    space: space.optional(),
    within: z
      .number()
      .gt(0)
      .max(1000)
      .optional()
      .describe('what is nearer than this is inside a box or polygon, metres'),
  })
  .refine((o) => [o.box, o.polygon, o.space].filter(Boolean).length === 1, {
    error: 'needs exactly one of box, polygon and space',
  })
  .refine((o) => (o.space === undefined) === (o.within !== undefined), {
    error: ({ input }) =>
      (input as { space?: unknown }).space === undefined
        ? 'needs within: the distance in metres from which something is inside'
        : 'takes no within: the box in space says where something is inside',
    path: ['within'],
  });

export const zonesOptions = z.strictObject({
  zones: z
    .record(
      z.string().regex(zoneName, {
        error: 'is not one of a zone: use letters, digits, "_" and "-", at most 64',
      }),
      zone,
    )
    .refine((zones) => Object.keys(zones).length > 0, { error: 'needs at least one zone' })
    .refine((zones) => Object.keys(zones).length <= 100, { error: 'has more than 100 zones' })
    .describe('the zones by name'),
  nearest: z
    .number()
    .min(0)
    .max(50)
    .default(2)
    .describe(
      'the distance of a zone is this percentile of its depths: 0 is the nearest pixel, even if that is noise',
    ),
  'min-pixels': z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20)
    .describe(
      'a box or polygon with fewer valid pixels has no distance and keeps its state; a box in space with fewer points is empty',
    ),
  hysteresis: z
    .number()
    .min(0)
    .max(100)
    .default(0.05)
    .describe('what is inside leaves only when it is this much farther, metres'),
  'enter-after': duration()
    .prefault('100ms')
    .describe(
      'how long something must be inside before it has entered, in presentation time (pts)',
    ),
  'leave-after': duration()
    .prefault('500ms')
    .describe('how long nothing must be inside before it has left, in presentation time (pts)'),
  emit: z
    .enum(['all', 'changes'])
    .default('all')
    .describe(
      'all: the zones of every frame; changes: the first ones, then when something enters or leaves',
    ),
});

export type ZonesOptions = z.output<typeof zonesOptions>;
export type ZoneOptions = ZonesOptions['zones'][string];
