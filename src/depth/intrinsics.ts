import { z } from 'zod';
import { DepthlineError } from '../core/errors.ts';
import type { Intrinsics } from '../core/frame.ts';
import type { Fusion } from '../core/fusion.ts';
import { centreRectangle, type Size } from '../core/size.ts';

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

/** Intrinsics of a camera with square pixels whose axis goes through the picture's centre. */
export function intrinsicsOfFieldOfView(degrees: number, { width, height }: Size): Intrinsics {
  const f = width / 2 / Math.tan((degrees * Math.PI) / 360);
  return { fx: f, fy: f, cx: (width - 1) / 2, cy: (height - 1) / 2 };
}

/** Intrinsics after the part at `left`, `top` was cut out. */
export function cropIntrinsics(k: Intrinsics, left: number, top: number): Intrinsics {
  return { ...k, cx: k.cx - left, cy: k.cy - top };
}

/** Intrinsics after the picture was scaled from one size to another. */
export function scaleIntrinsics(k: Intrinsics, from: Size, to: Size): Intrinsics {
  const sx = to.width / from.width;
  const sy = to.height / from.height;
  return {
    fx: k.fx * sx,
    fy: k.fy * sy,
    cx: (k.cx + 0.5) * sx - 0.5,
    cy: (k.cy + 0.5) * sy - 0.5,
  };
}

interface View {
  readonly size: Size;
  readonly intrinsics: Intrinsics;
}

/** A camera's intrinsics after the fused operators. */
export function fuseIntrinsics(view: View, fusions: readonly Fusion[]): View {
  return fusions.reduce(viewAfter, view);
}

function viewAfter(view: View, fusion: Fusion): View {
  if (fusion.do === 'flip') return flip(view, fusion.axis);
  if (fusion.do === 'resize') return resize(view, fusion);
  const { region } = fusion;
  if ('aspect' in region) return cropToAspect(view, region.aspect);
  const { left, top, width, height } = region;
  return {
    size: { width, height },
    intrinsics: cropIntrinsics(view.intrinsics, left, top),
  };
}

function flip({ size, intrinsics }: View, axis: 'horizontal' | 'vertical' | 'both'): View {
  const { cx, cy } = intrinsics;
  return {
    size,
    intrinsics: {
      ...intrinsics,
      cx: axis === 'vertical' ? cx : size.width - 1 - cx,
      cy: axis === 'horizontal' ? cy : size.height - 1 - cy,
    },
  };
}

function resize(view: View, fusion: Extract<Fusion, { do: 'resize' }>): View {
  const { width, height, fit } = fusion;
  const target = { width, height };
  const aspect = fusion.view ?? (fit === 'crop' ? width / height : undefined);
  const seen = aspect === undefined ? view : cropToAspect(view, aspect);
  if (fit !== 'letterbox') {
    return { size: target, intrinsics: scaleIntrinsics(seen.intrinsics, seen.size, target) };
  }
  const scale = Math.min(width / seen.size.width, height / seen.size.height);
  const inner = { width: seen.size.width * scale, height: seen.size.height * scale };
  const scaled = scaleIntrinsics(seen.intrinsics, seen.size, inner);
  const intrinsics = cropIntrinsics(scaled, (inner.width - width) / 2, (inner.height - height) / 2);
  return { size: target, intrinsics };
}

function cropToAspect({ size, intrinsics }: View, aspect: number): View {
  const { left, top, width, height } = centreRectangle(size, aspect);
  return { size: { width, height }, intrinsics: cropIntrinsics(intrinsics, left, top) };
}

/**
 * A function from the size of the frames that arrive to their intrinsics.
 *
 * @param native size of the camera's pictures before the fused operators, if certain
 * @throws DepthlineError `CONFIG` if the size of the camera's pictures is needed but not known
 */
export function intrinsicsOfFrames(
  options: IntrinsicsOptions | undefined,
  native: Size | undefined,
  fusions: readonly Fusion[],
): ((width: number, height: number) => Intrinsics) | undefined {
  if (!options) return undefined;
  const { width, height } = options;
  const given = width !== undefined && height !== undefined ? { width, height } : undefined;
  const camera = native ?? given;
  if (!camera && fusions.length > 0) {
    throw new DepthlineError(
      'CONFIG',
      'intrinsics needs width and height, because the picture is cropped or resized before it arrives',
    );
  }
  let known: View | undefined;
  return (width, height) => {
    const size = { width, height };
    if (known && known.size.width === width && known.size.height === height) {
      return known.intrinsics;
    }
    const from = camera ?? size;
    const fused = fuseIntrinsics({ size: from, intrinsics: base(options, given, from) }, fusions);
    known = { size, intrinsics: scaleIntrinsics(fused.intrinsics, fused.size, size) };
    return known.intrinsics;
  };
}

/** The camera's intrinsics at its capture size. */
function base(options: IntrinsicsOptions, given: Size | undefined, size: Size): Intrinsics {
  const { fx, fy, cx, cy } = options;
  const degrees = options['field-of-view'];
  if (degrees !== undefined) return intrinsicsOfFieldOfView(degrees, size);
  const k = { fx: fx as number, fy: fy as number, cx: cx as number, cy: cy as number };
  return given ? scaleIntrinsics(k, given, size) : k;
}
