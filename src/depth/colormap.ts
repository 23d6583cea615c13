import { rgb } from 'd3-color';
import {
  interpolateGreys,
  interpolateInferno,
  interpolateMagma,
  interpolatePlasma,
  interpolateTurbo,
  interpolateViridis,
} from 'd3-scale-chromatic';
import type { DepthMap } from '../core/frame.ts';
import { isValidDepth } from '../core/valid-depth.ts';

/** All but turbo are perceptually uniform: equal steps of depth look equally large. */
export const colormaps = ['viridis', 'magma', 'inferno', 'plasma', 'turbo', 'grey'] as const;
export type ColormapName = (typeof colormaps)[number];

const interpolators: Readonly<Record<ColormapName, (t: number) => string>> = {
  viridis: interpolateViridis,
  magma: interpolateMagma,
  inferno: interpolateInferno,
  plasma: interpolatePlasma,
  turbo: interpolateTurbo,
  grey: (t) => interpolateGreys(1 - t),
};

const tables = new Map<ColormapName, Uint8Array>();

/** No depth has this colour in any map but grey. */
const invalidGrey = [112, 112, 112] as const;
const invalidBlue = [24, 40, 110] as const;

/** RGB colour of invalid pixels beside those of a map. */
export function invalidColor(name: ColormapName): readonly [number, number, number] {
  return name === 'grey' ? invalidBlue : invalidGrey;
}

/** 256 RGB colours, `256 × 3` bytes, from the low end to the high end. */
export function colormap(name: ColormapName): Uint8Array {
  let table = tables.get(name);
  if (!table) {
    table = new Uint8Array(256 * 3);
    for (let i = 0; i < 256; i++) {
      const { r, g, b } = rgb(interpolators[name](i / 255));
      table.set([r, g, b], i * 3);
    }
    tables.set(name, table);
  }
  return table;
}

export interface DepthColors {
  readonly colormap: ColormapName;
  /** Depth of the near end of the colours, metres. */
  readonly min: number;
  /** Depth of the far end of the colours, metres. */
  readonly max: number;
}

/**
 * Depth as RGB, `height × width × 3` bytes: near is the warm or bright end, far the cold or dark
 * one, linear in metres between; invalid pixels have `invalidColor`.
 */
export function colorizeDepth(
  depth: DepthMap,
  { colormap: name, min, max }: DepthColors,
  out: Uint8Array = new Uint8Array(depth.data.length * 3),
): Uint8Array {
  const table = colormap(name);
  const [red, green, blue] = invalidColor(name);
  const gain = 255 / Math.max(max - min, 1e-6);
  for (let i = 0, o = 0; i < depth.data.length; i++, o += 3) {
    const metres = depth.data[i] as number;
    if (!isValidDepth(metres)) {
      out[o] = red;
      out[o + 1] = green;
      out[o + 2] = blue;
      continue;
    }
    const level = 255 - (metres - min) * gain;
    const at = 3 * (level <= 0 ? 0 : level >= 255 ? 255 : (level + 0.5) | 0);
    out[o] = table[at] as number;
    out[o + 1] = table[at + 1] as number;
    out[o + 2] = table[at + 2] as number;
  }
  return out;
}
