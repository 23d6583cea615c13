import { createRequire } from 'node:module';
import sharp from 'sharp';
import type { Size } from '../core/size.ts';

/** A line of text: `height × width` bytes, from 0 (no ink) to 255. */
export interface TextMask extends Size {
  readonly data: Uint8Array;
}

/** The font is a dependency: machines without a screen often have none. */
const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
/** At 72 dpi a point is a pixel. */
const dpi = 72;
const cacheLimit = 256;
const cache = new Map<string, Promise<TextMask>>();

/**
 * Renders one line of text, off the event loop. The newest 256 masks are kept.
 *
 * @param size font size, pixels
 */
export function renderText(text: string, size: number): Promise<TextMask> {
  const key = `${size} ${text}`;
  const known = cache.get(key);
  if (known) return known;
  const mask = rasterize(text, size);
  cache.set(key, mask);
  if (cache.size > cacheLimit) cache.delete(cache.keys().next().value as string);
  return mask;
}

async function rasterize(text: string, size: number): Promise<TextMask> {
  const { data, info } = await sharp({
    text: { text: escapeMarkup(text), font: `DejaVu Sans ${size}`, fontfile: font, dpi },
  })
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** The renderer reads Pango markup. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
