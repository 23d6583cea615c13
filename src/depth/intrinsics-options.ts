import { z } from 'zod';
import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { intrinsicsOfFieldOfView, scaleIntrinsics } from './intrinsics.ts';

/** `intrinsics:` of a camera source. Pixel centres are at whole numbers, as in OpenCV. */
export const intrinsicsSchema = z
  .strictObject({
    fx: z.number().positive().optional().describe('horizontal focal length, pixels'),
    fy: z.number().positive().optional().describe('vertical focal length, pixels'),
    cx: z.number().optional().describe('principal point from the left, pixels'),
    cy: z.number().optional().describe('principal point from the top, pixels'),
    'field-of-view': z
      .number()
      .gt(0)
      .lt(180)
      .optional()
      .describe('horizontal field of view, degrees; instead of fx, fy, cx and cy'),
    width: z
      .int()
      .positive()
      .optional()
      .describe(
        'width of the picture that these values were calibrated for, pixels; default: the source’s',
      ),
    height: z
      .int()
      .positive()
      .optional()
      .describe(
        'height of the picture that these values were calibrated for, pixels; default: the source’s',
      ),
  })
  .refine((value) => isCalibrated(value) !== (value['field-of-view'] !== undefined), {
    error: 'needs either fx, fy, cx and cy, or field-of-view',
  })
  .refine(({ width, height }) => (width === undefined) === (height === undefined), {
    error: 'needs both width and height, or neither',
  })
  .describe('camera intrinsics, for point-cloud');

export type IntrinsicsOptions = z.output<typeof intrinsicsSchema>;

function isCalibrated({ fx, fy, cx, cy }: Partial<Record<keyof Intrinsics, number | undefined>>) {
  return fx !== undefined && fy !== undefined && cx !== undefined && cy !== undefined;
}

/**
 * The camera's intrinsics for its whole picture of `size` pixels.
 *
 * @param options calibrated for `width` × `height`, or for any size if that is not given
 */
export function cameraIntrinsics(options: IntrinsicsOptions, size: Size): Intrinsics {
  const { fx, fy, cx, cy, width, height } = options;
  const degrees = options['field-of-view'];
  if (degrees !== undefined) return intrinsicsOfFieldOfView(degrees, size);
  const k = { fx: fx as number, fy: fy as number, cx: cx as number, cy: cy as number };
  if (width === undefined || height === undefined) return k;
  return scaleIntrinsics(k, { width, height }, size);
}
