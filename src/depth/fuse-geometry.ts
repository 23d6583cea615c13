import type { FrameBase } from '../core/frame.ts';
import { changesSize, type Fusion } from '../core/fusion.ts';
import type { Size } from '../core/size.ts';
import { centreOfAspect, planFit } from './fit-plan.ts';
import { cameraIntrinsics, type IntrinsicsOptions } from './intrinsics-options.ts';
import {
  cropGeometry,
  flipGeometry,
  type Geometry,
  padGeometry,
  scaleGeometry,
  wholeView,
} from './view.ts';

/** A picture's geometry after the fused operators. */
export function fuseGeometry(geometry: Geometry, fusions: readonly Fusion[]): Geometry {
  return fusions.reduce(geometryAfter, geometry);
}

function geometryAfter(geometry: Geometry, fusion: Fusion): Geometry {
  const { size, view } = geometry;
  if (fusion.do === 'flip') return flipGeometry(geometry, fusion.axis);
  if (fusion.do === 'crop') {
    const { region } = fusion;
    const part = 'aspect' in region ? centreOfAspect({ ...size, view }, region.aspect) : region;
    return cropGeometry(geometry, part);
  }
  const { part, inner, size: to } = planFit({ ...size, view }, fusion, fusion.fit, fusion.view);
  return padGeometry(scaleGeometry(cropGeometry(geometry, part), inner), inner, to);
}

/** View and intrinsics of a source's frames. */
export type FrameGeometry = Pick<FrameBase, 'view' | 'intrinsics'>;

/**
 * A function from the size of the frames that arrive, and that of the source's picture where it is
 * known only then, to their view and intrinsics. Both are missing where that size stays unknown.
 *
 * @param native size of the source's pictures before the fused operators, if certain
 */
export function geometryOfFrames(
  options: IntrinsicsOptions | undefined,
  native: Size | undefined,
  fusions: readonly Fusion[],
): (frame: Size, source?: Size) => FrameGeometry {
  let known: (Size & { source: Size | undefined; geometry: FrameGeometry }) | undefined;
  return ({ width, height }, source) => {
    if (known?.width === width && known.height === height && known.source === source) {
      return known.geometry;
    }
    const frame = { width, height };
    const picture = source ?? native ?? (changesSize(fusions) ? undefined : frame);
    const geometry = picture ? after(options, picture, fusions, frame) : {};
    known = { width, height, source, geometry };
    return geometry;
  };
}

function after(
  options: IntrinsicsOptions | undefined,
  { width, height }: Size,
  fusions: readonly Fusion[],
  frame: Size,
): FrameGeometry {
  const size = { width, height };
  const camera = options && cameraIntrinsics(options, size);
  const fused = fuseGeometry({ size, view: wholeView(size), intrinsics: camera }, fusions);
  const { view, intrinsics } = scaleGeometry(fused, frame);
  return { view, ...(intrinsics && { intrinsics }) };
}
