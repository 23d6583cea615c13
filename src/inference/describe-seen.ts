import type { PlanContext } from '../core/component-facts.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { planFit } from '../depth/fit-plan.ts';
import { cropGeometry, geometryOf, shownPart, type Viewed, viewOf } from '../depth/view.ts';
import { type Cover, leavesOut, planTwoViews } from './cover.ts';
import type { ModelGeometry } from './estimator.ts';

/**
 * What a network sees of the source's picture, in words.
 *
 * @param picture as it comes to the network; undefined if that is not known
 */
export function describeSeen(
  { width, height, view }: ModelGeometry,
  cover: Cover,
  picture: PlanContext['picture'],
): string {
  const split = view !== undefined && cover === 'two-views';
  if (!picture) {
    if (split) return 'all of each picture, in two views that overlap';
    const all = view === undefined || cover === 'squeeze';
    return all ? 'all of each picture' : 'the centre of each picture, in the shape that it expects';
  }
  const size = { width, height };
  const fits = picture.width === width && picture.height === height;
  const inTwo = split && !fits && leavesOut(picture, view);
  const part = inTwo
    ? planTwoViews(picture, { ...size, view }).whole.part
    : onePart(picture, size, cover === 'centre' && !fits ? view : undefined);
  return describePart(picture, part) + (inTwo ? ', in two views that overlap' : '');
}

function onePart(picture: Viewed, size: Size, view: number | undefined): Rectangle {
  return planFit(picture, size, 'stretch', view).part;
}

function describePart(picture: Viewed, part: Rectangle): string {
  const { source } = viewOf(picture);
  const shown = shownPart(cropGeometry(geometryOf(picture), part).view);
  const share = Math.round((100 * shown.width * shown.height) / (source.width * source.height));
  const whole = `the ${source.width}×${source.height} picture`;
  if (share === 100) return `all of ${whole}`;
  const cut = `${Math.round(shown.width)}×${Math.round(shown.height)}`;
  return `${cut} of ${whole}; ${100 - share} % of it is not seen`;
}
