import { type Fusion, sizeAfter } from '../../core/fusion.ts';
import { centreRectangle, type Size } from '../../core/size.ts';

/** Sizes in the shape of most sensors that Argus is asked for, smallest first. */
const usualSizes: readonly Size[] = [
  [640, 360],
  [960, 540],
  [1280, 720],
  [1600, 900],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
].map(([width, height]) => ({ width, height }) as Size);

const defaultSize: Size = { width: 1280, height: 720 };

/** At this ratio an interpolation between neighbours takes every pixel into account. */
const enough = 2;

/**
 * The picture to ask the ISP for, which scales well, so that what is left to scale is small: the first
 * usual size that has at least twice the width and height of what a resize behind it delivers.
 * 1280×720 where nothing resizes, or where a crop counts in pixels of the picture.
 *
 * @param turned the picture is on its side when it is resized
 */
export function argusPictureSize(fused: readonly Fusion[], turned: boolean): Size {
  const at = fused.findIndex((one) => one.do === 'resize');
  const resize = fused[at];
  const before = fused.slice(0, at);
  if (resize?.do !== 'resize' || before.some(countsPixels)) return defaultSize;
  const covers = (size: Size) => {
    const upright = turned ? { width: size.height, height: size.width } : size;
    return ratio(before.reduce<Size | undefined>(sizeAfter, upright) ?? upright, resize) >= enough;
  };
  return usualSizes.find(covers) ?? (usualSizes.at(-1) as Size);
}

function countsPixels(fusion: Fusion): boolean {
  return fusion.do === 'crop' && !('aspect' in fusion.region);
}

/** How many pixels of the picture there are for one of the result, in the direction with fewer. */
function ratio(size: Size, resize: Extract<Fusion, { do: 'resize' }>): number {
  const { width, height, fit, view } = resize;
  const aspect = view ?? (fit === 'crop' ? width / height : undefined);
  const part = aspect === undefined ? size : centreRectangle(size, aspect);
  const [across, down] = [part.width / width, part.height / height];
  return fit === 'letterbox' ? Math.max(across, down) : Math.min(across, down);
}
