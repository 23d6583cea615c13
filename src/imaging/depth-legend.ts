import { tickStep, ticks } from 'd3-array';
import type { DepthFrame } from '../core/frame.ts';
import { colormap, type DepthColors } from '../depth/colormap.ts';
import type { Canvas } from './canvas.ts';
import { renderText } from './text.ts';

/** Sizes of a legend beside panels of a given height, pixels. */
export interface LegendLayout {
  readonly fontSize: number;
  readonly width: number;
}

export function layoutLegend(panelHeight: number): LegendLayout {
  const fontSize = Math.round(Math.min(22, Math.max(9, panelHeight / 26)));
  return { fontSize, width: 2 * Math.round(fontSize * 2.6) };
}

/** Labels of a colour bar: where they are on it, as a share from the near end, and their text. */
export function legendLabels(
  { min, max }: Pick<DepthColors, 'min' | 'max'>,
  unit: DepthFrame['unit'],
): { share: number; text: string }[] {
  if (unit === 'relative') {
    return [
      { share: 1, text: 'far' },
      { share: 0, text: 'near' },
    ];
  }
  const digits = Math.max(0, -Math.floor(Math.log10(tickStep(min, max, 6)) + 1e-9));
  return ticks(min, max, 6).map((metres) => ({
    share: (metres - min) / (max - min),
    text: metres.toFixed(digits),
  }));
}

/** Draws a colour bar, far at the top, with its labels and unit. */
export async function drawLegend(
  canvas: Canvas,
  { left, height }: { readonly left: number; readonly height: number },
  colors: DepthColors,
  unit: DepthFrame['unit'],
): Promise<void> {
  const { fontSize } = layoutLegend(height);
  const table = colormap(colors.colormap);
  const title = await renderText(unit === 'relative' ? 'relative' : 'm', fontSize);
  const margin = Math.round(fontSize * 0.5);
  const top = margin * 3 + title.height;
  const length = Math.max(1, height - top - margin * 2);
  const thickness = Math.round(fontSize * 1.1);
  const barLeft = left + margin;
  canvas.write(title, barLeft, margin);
  for (let y = 0; y < length; y++) {
    const at = 3 * Math.round((255 * y) / Math.max(1, length - 1));
    const color = [table[at], table[at + 1], table[at + 2]] as [number, number, number];
    canvas.fill({ left: barLeft, top: top + y, width: thickness, height: 1 }, color);
  }
  for (const { share, text } of legendLabels(colors, unit)) {
    const y = Math.round(top + (length - 1) * (1 - share));
    const tick = { left: barLeft + thickness, top: y, width: 3, height: 1 };
    canvas.fill(tick, [235, 235, 235]);
    const mask = await renderText(text, fontSize);
    canvas.write(mask, barLeft + thickness + 6, y - Math.round(mask.height / 2));
  }
}
