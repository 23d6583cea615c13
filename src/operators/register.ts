import { z } from 'zod';
import { defineOperator } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { type DepthFrame, derive, type FrameBase, type ImageFrame } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import {
  type Geometry,
  geometryOf,
  scaleGeometry,
  sourceIntrinsics,
  viewOf,
  wholeView,
} from '../depth/view.ts';
import { placeTruth } from '../registration/place-truth.ts';
import { RegisterThread } from '../registration/register-thread.ts';
import { methods } from '../registration/upsample.ts';
import { mapAsync } from '../runtime/map-async.ts';

const options = z.strictObject({
  method: z
    .enum(methods)
    .default('bilateral')
    .describe(
      'bilateral: edges of the depth follow those of the picture; bilinear: cheaper, edges are blurred, ' +
        'and no picture is needed',
    ),
  width: z
    .int()
    .min(1)
    .max(16_384)
    .optional()
    .describe(
      'width of the result, pixels; its height keeps the shape of the picture. Default: that of the picture',
    ),
});

type Options = z.output<typeof options>;

const advice =
  'set "image: source" on the operator that estimates depth, or "method: bilinear" here';

/**
 * Places depth on the pixels of the source's picture: its view and its intrinsics, invalid where the
 * network did not look. Depth and picture may then be laid over each other, and `image` is that picture.
 *
 * `bilateral` is joint bilateral upsampling (Kopf et al., *Joint Bilateral Upsampling*, SIGGRAPH 2007)
 * with a decision between surfaces: each pixel gets the depth of the surface that it is near to and looks
 * like, never one between two. It needs the picture that `estimate-depth` and `estimate-stereo` keep with
 * `image: source`.
 * `bilinear` interpolates linearly, and without that picture the result has none.
 */
export const register = defineOperator({
  name: 'register',
  summary: 'Places depth on the pixels of the source’s picture, its edges on those of the picture.',
  accepts: ['depth'],
  emits: ['depth'],
  queued: true,
  options,
  examples: [{}, { width: 640 }, { method: 'bilinear' }],

  needs: ({ method }) => (method === 'bilinear' ? {} : { picture: advice }),

  async create(options, context) {
    const thread = new RegisterThread();
    context.defer(() => thread.close());
    // The image library is native; it is loaded where pictures are scaled.
    const scale =
      options.width === undefined ? undefined : (await import('../imaging/fit.ts')).fitImage;
    return mapAsync(
      async (frame) => {
        const { picture: whole, ...depth } = frame as DepthFrame;
        if (!whole && options.method !== 'bilinear') {
          throw new DepthlineError(
            'OPERATOR',
            `register needs the picture of each frame: ${advice}`,
          );
        }
        const size = sizeOfResult(whole ?? viewOf(depth).source, options);
        const picture = whole && scale ? await scale(whole, size, 'stretch') : whole;
        const target = picture ? geometryOf(picture) : wholeGeometry(depth, size);
        const placed = { size: { width: depth.width, height: depth.height }, view: viewOf(depth) };
        const { data, ms } = await thread.run({
          depth: { ...depth, ...placed },
          target: { size: target.size, view: target.view },
          picture,
          method: options.method,
        });
        return {
          ...registeredBase(depth, target, picture),
          kind: 'depth',
          ...target.size,
          data,
          ...(whole && { picture: whole }),
          ...(picture && { image: picture }),
          ...(depth.model && { model: depth.model }),
          ...(depth.unit && { unit: depth.unit }),
          ...(depth.range && { range: depth.range }),
          timings: { ...depth.timings, [context.name]: ms },
        } satisfies DepthFrame;
      },
      { context },
    );
  },
});

function sizeOfResult(whole: Size, { width }: Options): Size {
  if (width === undefined) return { width: whole.width, height: whole.height };
  return { width, height: Math.max(1, Math.round((whole.height * width) / whole.width)) };
}

/** Of the source's whole picture at `size`, as a depth frame knows it. */
function wholeGeometry(depth: DepthFrame, size: Size): Geometry {
  const { intrinsics } = depth;
  const { source } = viewOf(depth);
  const camera = intrinsics && sourceIntrinsics({ ...depth, intrinsics });
  return scaleGeometry({ size: source, view: wholeView(source), intrinsics: camera }, size);
}

/** Identity and times of the depth, with the geometry of the result, and its ground truth. */
function registeredBase(
  depth: DepthFrame,
  { size, view, intrinsics }: Geometry,
  picture: ImageFrame | undefined,
): FrameBase {
  const { intrinsics: _, truth: seen, ...rest } = derive(depth);
  const placed = seen && !picture && placeTruth(seen, viewOf(depth), { size, view });
  const truth = picture?.truth ?? placed;
  return { ...rest, view, ...(intrinsics && { intrinsics }), ...(truth && { truth }) };
}
