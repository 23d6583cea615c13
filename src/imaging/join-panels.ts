import sharp from 'sharp';
import type { Size } from '../core/size.ts';

/** An RGB or RGBA picture. */
export interface Panel extends Size {
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
  /** Scale by nearest neighbour, as measured values need. */
  readonly exact?: boolean;
}

/**
 * Scales panels to one size and joins them from left to right, off the event loop; RGB. A missing
 * panel is black.
 */
export async function joinPanels(
  panels: readonly (Panel | undefined)[],
  { width, height }: Size,
): Promise<Uint8Array> {
  const scaled = await Promise.all(panels.map((panel) => panel && scale(panel, { width, height })));
  const row = width * 3;
  const out = new Uint8Array(row * height * panels.length);
  for (const [index, data] of scaled.entries()) {
    if (!data) continue;
    for (let y = 0; y < height; y++) {
      out.set(data.subarray(y * row, (y + 1) * row), (y * panels.length + index) * row);
    }
  }
  return out;
}

async function scale(panel: Panel, { width, height }: Size): Promise<Uint8Array> {
  const { channels, data, exact } = panel;
  if (channels === 3 && panel.width === width && panel.height === height) return data;
  return sharp(data, { raw: { width: panel.width, height: panel.height, channels } })
    .removeAlpha()
    .resize(width, height, { fit: 'fill', kernel: exact ? 'nearest' : 'linear' })
    .raw()
    .toBuffer();
}
