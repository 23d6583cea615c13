import { Random } from './random.ts';
import type { Rendering } from './renderer.ts';

export interface Exposure {
  /** Mean brightness to aim at, linear, about 0.2. */
  readonly key: number;
  /** Gains of red and blue against green. */
  readonly red: number;
  readonly blue: number;
  /** Sensor noise, 0 to 1. */
  readonly noise: number;
  /** Darkening at the corners, 0 to 1. */
  readonly vignette: number;
}

const tableSize = 8192;

const gaussian = (() => {
  const random = new Random(7);
  const table = new Float32Array(tableSize);
  for (let i = 0; i < tableSize; i++) {
    let sum = -3;
    for (let n = 0; n < 6; n++) sum += random.next();
    table[i] = sum * Math.SQRT2;
  }
  return table;
})();

/**
 * Makes bytes of light as a camera does: exposed by the mean, bright parts rolled off, gamma 2.
 *
 * @param metered light that the exposure is measured in; default: that of the picture
 */
export function develop(
  { light, width, height }: Rendering,
  exposure: Exposure,
  seed: number,
  metered: Float32Array = light,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(width * height * 3);
  const gain = exposure.key / meanOf(metered);
  const gains = [gain * exposure.red, gain, gain * exposure.blue];
  const random = new Random(seed);
  const { noise, vignette } = exposure;
  const strength = noise * 14;
  for (let y = 0; y < height; y++) {
    const dy = y / height - 0.5;
    const row = y * width * 3;
    for (let x = 0; x < width; x++) {
      const dx = x / width - 0.5;
      const shadow = 1 - vignette * (dx * dx + dy * dy);
      const jump = strength > 0 ? Math.floor(random.next() * (tableSize - 3)) : 0;
      for (let c = 0; c < 3; c++) {
        const at = row + x * 3 + c;
        const v = light[at]! * gains[c]! * shadow;
        const t = (v * (1 + v * 0.12)) / (1 + 0.75 * v);
        // Shot noise grows as the root of light; gamma 2 makes that even over all tones.
        let value = 255 * Math.sqrt(t);
        if (strength > 0) value += gaussian[jump + c]! * strength * (0.6 + 20 / (value + 30));
        out[at] = value <= 0 ? 0 : value >= 254.5 ? 255 : value + 0.5;
      }
    }
  }
  return out;
}

function meanOf(light: Float32Array): number {
  let sum = 1e-6;
  let n = 0;
  // A lamp in view must not make all the rest black.
  for (let i = 1; i < light.length; i += 21, n++) sum += Math.min(light[i]!, 1.5);
  return sum / Math.max(1, n);
}
