import { map } from 'rxjs';
import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineOperator } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { type DepthFrame, derive, type Intrinsics, type PointsFrame } from '../core/frame.ts';
import { intrinsicsOfFieldOfView, scaleIntrinsics } from '../depth/intrinsics.ts';
import { metricProblems, requireMetric } from '../depth/relative.ts';
import { unproject } from '../depth/unproject.ts';
import { viewAspect } from '../depth/view.ts';

const options = z
  .strictObject({
    'field-of-view': z
      .number()
      .gt(0)
      .lt(180)
      .optional()
      .describe(
        'horizontal field of view of the depth frame, degrees; default: the frame’s intrinsics',
      ),
    view: aspect()
      .optional()
      .describe(
        'with field-of-view: aspect ratio of the view before it was squeezed into the frame; default: that ' +
          'of the frame’s view',
      ),
    stride: z.int().min(1).max(1024).default(1).describe('use every n-th column of every n-th row'),
    colors: z.boolean().default(true).describe('colour each point from the picture'),
  })
  .refine((o) => o.view === undefined || o['field-of-view'] !== undefined, {
    error: 'view needs field-of-view',
  });

const needsMetres = 'points are in metres';
const noIntrinsics =
  'point-cloud needs camera intrinsics, and the frames have none: set field-of-view here, or intrinsics on the source';

type Options = z.output<typeof options>;

/**
 * Converts depth to points in camera coordinates (x right, y down, z forward), metres, by the
 * frame's intrinsics. A field of view given here overrides them. Invalid pixels give no point.
 */
export const pointCloud = defineOperator({
  name: 'point-cloud',
  summary: 'Converts depth to 3D points, by the camera’s intrinsics or a field of view.',
  accepts: ['depth'],
  emits: ['points'],
  options,
  usesPicture: ({ colors }) => colors,
  examples: [{}, { 'field-of-view': 62.2, view: '4:3', stride: 2 }],
  check(options, { arriving }) {
    const blind = options['field-of-view'] === undefined && arriving.intrinsics === false;
    return [
      ...metricProblems(arriving, undefined, needsMetres),
      ...(blind ? [{ path: [], message: noIntrinsics }] : []),
    ];
  },
  facts: () => ({ unit: 'm', intrinsics: true }),
  async create(options) {
    return map((frame): PointsFrame => {
      const depth = frame as DepthFrame;
      requireMetric(depth, needsMetres);
      const intrinsics = geometry(depth, options);
      const image = options.colors ? depth.image : undefined;
      return {
        ...derive(depth),
        intrinsics,
        kind: 'points',
        ...unproject(depth, intrinsics, options.stride, image),
      };
    });
  },
});

function geometry(depth: DepthFrame, { 'field-of-view': degrees, view }: Options): Intrinsics {
  if (degrees !== undefined) {
    const trueHeight = depth.width / (view ?? viewAspect(depth));
    const seen = { width: depth.width, height: trueHeight };
    return scaleIntrinsics(intrinsicsOfFieldOfView(degrees, seen), seen, depth);
  }
  if (depth.intrinsics) return depth.intrinsics;
  throw new DepthlineError('OPERATOR', noIntrinsics);
}
