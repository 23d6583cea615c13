import { z } from 'zod';
import { aspect } from '../core/aspect.ts';
import { defineOperator } from '../core/component.ts';
import { type DepthFrame, type DepthMap, derive, type ImageFrame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { colorOptions } from '../depth/color-options.ts';
import { ColorRangeTracker } from '../depth/color-range.ts';
import { colorizeDepth } from '../depth/colormap.ts';
import { colorizeError } from '../depth/error-colors.ts';
import { joinPanels, type Panel } from '../imaging/join-panels.ts';
import { mapAsync } from '../runtime/map-async.ts';

const panelNames = ['image', 'depth', 'truth', 'error'] as const;
type PanelName = (typeof panelNames)[number];

const options = minBelowMax(
  z.strictObject({
    panels: z
      .array(z.enum(panelNames))
      .min(1)
      .max(8)
      .optional()
      .describe(
        'panels from left to right; error is relative to the ground truth; default: image and ' +
          'depth, and truth if the first frame has it',
      ),
    height: z
      .int()
      .min(1)
      .max(4096)
      .optional()
      .describe('height of the result, pixels; default: that of the depth frame'),
    aspect: aspect()
      .optional()
      .describe(
        'aspect ratio of each panel, to undo a squeeze: "4:3" for FastDepth; default: unchanged',
      ),
    ...colorOptions,
    'error-max': z
      .number()
      .gt(0)
      .max(100)
      .default(0.5)
      .describe('relative error with the brightest colour; 0.5: off by half the true depth'),
  }),
);

type Options = z.output<typeof options>;

/**
 * The picture that the network saw beside its depth in colours, as one RGB picture; on request
 * the ground truth in the same colours, and the relative error. The first frame fixes the size
 * and the panels, as a video needs it; panels that a later frame lacks are black.
 */
export const sideBySide = defineOperator({
  name: 'side-by-side',
  summary: 'Shows picture and coloured depth side by side, with ground truth where known.',
  accepts: ['depth'],
  emits: ['image'],
  queued: true,
  options,
  examples: [
    { aspect: '4:3' },
    { panels: ['image', 'depth', 'truth', 'error'], height: 240, max: 10 },
  ],
  async create(options, context) {
    return (input) => {
      const layout = new Layout(options);
      return input.pipe(mapAsync((frame) => layout.show(frame as DepthFrame), { context }));
    };
  },
});

class Layout {
  readonly #options: Options;
  readonly #range: ColorRangeTracker;
  #fixed: { width: number; height: number; panels: readonly PanelName[] } | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#range = new ColorRangeTracker(options);
  }

  async show(frame: DepthFrame): Promise<ImageFrame> {
    const { width, height, panels } = this.#layout(frame);
    const { colormap } = this.#options;
    const range = { colormap, ...this.#range.next(frame) };
    const data = await joinPanels(
      panels.map((name) => this.#panel(name, frame, range)),
      { width, height },
    );
    return {
      ...base(frame),
      kind: 'image',
      width: width * panels.length,
      height,
      format: 'rgb',
      data,
    };
  }

  #layout(frame: DepthFrame) {
    const { panels = frame.truth ? ['image', 'depth', 'truth'] : ['image', 'depth'] } =
      this.#options;
    const { height = frame.height, aspect = frame.width / frame.height } = this.#options;
    this.#fixed ??= { width: Math.max(1, Math.round(height * aspect)), height, panels };
    return this.#fixed;
  }

  #panel(
    name: PanelName,
    frame: DepthFrame,
    range: Parameters<typeof colorizeDepth>[1],
  ): Panel | undefined {
    const { image, truth } = frame;
    const colors = (map: DepthMap, data: Uint8Array): Panel => {
      return { width: map.width, height: map.height, channels: 3, data, exact: true };
    };
    switch (name) {
      case 'image':
        return image && { ...image, channels: image.format === 'rgba' ? 4 : 3 };
      case 'depth':
        return colors(frame, colorizeDepth(frame, range));
      case 'truth':
        return truth && colors(truth, colorizeDepth(truth, range));
      case 'error':
        return truth && colors(truth, colorizeError(frame, truth, this.#options['error-max']));
    }
  }
}

/** The panels together are no camera's view: neither intrinsics, view nor ground truth hold for them. */
function base(frame: DepthFrame) {
  const { intrinsics: _, view: __, truth: ___, ...rest } = derive(frame);
  return rest;
}
