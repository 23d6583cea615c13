import { z } from 'zod';
import { adjusted, remade } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import { type DepthFrame, derive, type Frame, type ImageFrame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { steadyOption } from '../depth/color-options.ts';
import { liveLook, lookOptions } from '../depth/look-options.ts';
import { metricLookProblems } from '../depth/relative.ts';
import type { DepthView, DepthViewOptions } from '../imaging/depth-view.ts';
import { mapAsync } from '../runtime/map-async.ts';

const options = minBelowMax(z.strictObject({ ...lookOptions, ...steadyOption }));

/**
 * The picture beside its depth in colours, with a colour bar in metres, as one RGB picture; on
 * request the ground truth in the same colours, and the relative error. The first frame fixes the
 * size and the panels, as a video needs it, unless `steady` is false; panels that a later frame lacks
 * are black.
 */
export const sideBySide = defineOperator({
  name: 'side-by-side',
  summary: 'Shows picture and coloured depth side by side, with ground truth where known.',
  accepts: ['depth'],
  emits: ['image'],
  queued: true,
  options,
  examples: [
    {},
    { panels: ['image', 'depth', 'truth', 'error'], height: 240, max: 10 },
    { height: 224, legend: false, aspect: '4:3' },
    { height: 480, steady: false },
  ],
  check: (options, { arriving }) => metricLookProblems(options, arriving),
  adjustable: liveLook,
  facts: () => ({ intrinsics: false }),
  async create(options, context) {
    const current = adjusted(options, context);
    const { DepthView } = await import('../imaging/depth-view.ts');
    return (input) => {
      const view = remade<DepthViewOptions, DepthView>(current, (now, before) => {
        if (!before) return new DepthView(now);
        before.adjust(now);
        return before;
      });
      const show = async (frame: Frame): Promise<ImageFrame> => ({
        ...base(frame as DepthFrame),
        kind: 'image',
        ...(await view().render(frame)),
      });
      return input.pipe(mapAsync(show, { context }));
    };
  },
});

/** The panels together are no camera's view: neither intrinsics, view nor ground truth hold. */
function base(frame: DepthFrame) {
  const { intrinsics: _, view: __, truth: ___, ...rest } = derive(frame);
  return rest;
}
