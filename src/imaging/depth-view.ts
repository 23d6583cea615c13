import type { DepthFrame, DepthMap, Frame, Picture } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { type ColorRangeOptions, ColorRangeTracker } from '../depth/color-range.ts';
import { type ColormapName, colorizeDepth, type DepthColors } from '../depth/colormap.ts';
import { colorizeError } from '../depth/error-colors.ts';
import type { PanelName } from '../depth/look-options.ts';
import { requireMetricLook } from '../depth/relative.ts';
import { resampleDepth } from '../depth/resample.ts';
import { viewAspect } from '../depth/view.ts';
import { Canvas } from './canvas.ts';
import { drawLegend, layoutLegend } from './depth-legend.ts';
import { scaleRgb } from './scale-rgb.ts';
import { renderText } from './text.ts';

export interface DepthViewOptions extends ColorRangeOptions {
  readonly colormap: ColormapName;
  readonly panels?: readonly PanelName[] | undefined;
  /** Height of a panel, pixels. */
  readonly height?: number | undefined;
  /** Width over height of a panel. */
  readonly aspect?: number | undefined;
  readonly legend: boolean;
  readonly 'error-max': number;
  /** A line of text below the panels; asked for with every frame. */
  readonly status?: ((frame: Frame) => string) | undefined;
}

/** Those options that can change between two frames. */
export type DepthColorsOptions = Pick<
  DepthViewOptions,
  'colormap' | 'min' | 'max' | 'percentiles' | 'error-max'
>;

/** Small maps are enlarged to this, so that a person sees something. */
const leastHeight = 360;
/** Shade of the background. */
const dark = 20;
const black = [0, 0, 0] as const;

interface Layout {
  readonly panels: readonly PanelName[];
  readonly width: number;
  readonly height: number;
}

/**
 * Frames as pictures for a person: depth in colours beside the picture it was estimated from, in the
 * aspect ratio of the view, with a colour bar in metres. An image frame is shown as it is. The first
 * depth frame fixes panels and size, as a video and a window need it, unless `steady` is false; a panel
 * that a later frame lacks is black.
 */
export class DepthView {
  #options: DepthViewOptions;
  #range: ColorRangeTracker;
  #layout: Layout | undefined;

  constructor(options: DepthViewOptions) {
    this.#options = options;
    this.#range = new ColorRangeTracker(options);
  }

  /** Takes other colours; panels and size stay. */
  adjust({ colormap, min, max, percentiles, 'error-max': most }: DepthColorsOptions): void {
    this.#options = { ...this.#options, colormap, min, max, percentiles, 'error-max': most };
    this.#range = new ColorRangeTracker(this.#options, this.#range);
  }

  /** @throws FrameRefused for points and data, which the check of frame kinds keeps away */
  async render(frame: Frame): Promise<Picture> {
    if (frame.kind === 'image') return frame;
    if (frame.kind !== 'depth')
      throw new FrameRefused(`${frame.kind} frames cannot be shown as a picture`);
    requireMetricLook(this.#options, frame);
    const { steady = true } = this.#options;
    const size = (steady && this.#layout) || layOut(frame, this.#options);
    this.#layout = size;
    const { panels, width, height } = size;
    const { legend, status } = this.#options;
    const colors = { colormap: this.#options.colormap, ...this.#range.next(frame) };
    const { fontSize, width: legendWidth } = layoutLegend(height);
    const line = Math.round(fontSize * 1.8);
    const canvas = new Canvas(
      {
        width: panels.length * width + (legend ? legendWidth : 0),
        height: height + (status ? line : 0),
      },
      dark,
    );
    const pictures = await Promise.all(panels.map((name) => this.#panel(name, frame, colors)));
    for (const [index, data] of pictures.entries()) {
      const part = { left: index * width, top: 0, width, height };
      if (data) canvas.put(data, part);
      else canvas.fill(part, black);
      if (legend && panels.length > 2) await this.#caption(canvas, panels[index], part.left);
    }
    if (legend)
      await drawLegend(canvas, { left: panels.length * width, height }, colors, frame.unit);
    if (status) {
      const text = await renderText(status(frame), fontSize);
      canvas.write(text, fontSize, height + Math.round((line - text.height) / 2));
    }
    return { format: 'rgb', width: canvas.width, height: canvas.height, data: canvas.data };
  }

  #panel(
    name: PanelName,
    frame: DepthFrame,
    colors: DepthColors,
  ): Promise<Uint8Array> | Uint8Array | undefined {
    const size = this.#layout as Layout;
    const { image, truth } = frame;
    const inColors = (map: DepthMap) => colorizeDepth(resampleDepth(map, size), colors);
    switch (name) {
      case 'image':
        return image && scaleRgb(image, size);
      case 'depth':
        return inColors(frame);
      case 'truth':
        return truth && inColors(truth);
      case 'error':
        return (
          truth && colorizeError(frame, resampleDepth(truth, size), this.#options['error-max'])
        );
    }
  }

  async #caption(canvas: Canvas, name: PanelName | undefined, left: number): Promise<void> {
    const { fontSize } = layoutLegend((this.#layout as Layout).height);
    const text = await renderText(captions[name ?? 'depth'](this.#options['error-max']), fontSize);
    const pad = Math.round(fontSize * 0.35);
    const box = { left, top: 0, width: text.width + 2 * pad, height: text.height + 2 * pad };
    canvas.fill(box, [dark, dark, dark]);
    canvas.write(text, left + pad, pad);
  }
}

const captions: Readonly<Record<PanelName, (errorMax: number) => string>> = {
  image: () => 'picture',
  depth: () => 'depth',
  truth: () => 'truth',
  error: (most) => `relative error, 0 … ${Math.round(most * 100)} %`,
};

function layOut(frame: DepthFrame, options: DepthViewOptions): Layout {
  const { panels = defaultPanels(frame), aspect = viewAspect(frame) } = options;
  const { height = Math.max(leastHeight, frame.height) } = options;
  return { panels, height, width: Math.max(1, Math.round(height * aspect)) };
}

function defaultPanels({ image, truth, unit }: DepthFrame): readonly PanelName[] {
  // The truth is in metres: colours of relative depth do not fit it.
  const comparable = truth && unit !== 'relative';
  return [
    ...(image ? (['image'] as const) : []),
    'depth',
    ...(comparable ? (['truth'] as const) : []),
  ];
}
