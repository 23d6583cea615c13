import type { Manifest } from './manifest.ts';

/**
 * Fills the model's float32 input from interleaved uint8 RGB, as the manifest says: channel order,
 * layout, range, mean and standard deviation.
 *
 * @param rgb `height × width × 3` bytes
 * @param out `height × width × 3` floats
 */
export function fillFloatInput(rgb: Uint8Array, input: Manifest['input'], out: Float32Array): void {
  const [low, high] = input.range ?? [0, 1];
  const mean = input.mean ?? [0, 0, 0];
  const std = input.std ?? [1, 1, 1];
  const pixels = input.width * input.height;
  for (let channel = 0; channel < 3; channel++) {
    const from = input.channels === 'BGR' ? 2 - channel : channel;
    const gain = (high - low) / 255 / (std[channel] as number);
    const offset = (low - (mean[channel] as number)) / (std[channel] as number);
    const start = input.layout === 'NCHW' ? channel * pixels : channel;
    const step = input.layout === 'NCHW' ? 1 : 3;
    for (let i = 0; i < pixels; i++) {
      out[start + i * step] = (rgb[i * 3 + from] as number) * gain + offset;
    }
  }
}

/** Fills the model's uint8 input where it is not simply the frame's own bytes. */
export function fillByteInput(rgb: Uint8Array, input: Manifest['input'], out: Uint8Array): void {
  const pixels = input.width * input.height;
  const [r, b] = input.channels === 'BGR' ? [2, 0] : [0, 2];
  const planar = input.layout === 'NCHW';
  for (let i = 0; i < pixels; i++) {
    const red = rgb[i * 3 + r] as number;
    const green = rgb[i * 3 + 1] as number;
    const blue = rgb[i * 3 + b] as number;
    out[planar ? i : i * 3] = red;
    out[planar ? pixels + i : i * 3 + 1] = green;
    out[planar ? 2 * pixels + i : i * 3 + 2] = blue;
  }
}

/** True if the frame's bytes can go into the model as they are. */
export function isPlainInput(input: Manifest['input']): boolean {
  return input.dtype === 'uint8' && input.layout === 'NHWC' && input.channels === 'RGB';
}

/** RGBA bytes without their alpha. */
export function dropAlpha(rgba: Uint8Array): Uint8Array {
  const pixels = rgba.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    rgb[i * 3] = rgba[i * 4] as number;
    rgb[i * 3 + 1] = rgba[i * 4 + 1] as number;
    rgb[i * 3 + 2] = rgba[i * 4 + 2] as number;
  }
  return rgb;
}

/**
 * Turns what the model gave into metres, in place; not finite, zero and negative become 0, invalid.
 *
 * `inverse-relative` (MiDaS, Depth Anything) and `disparity` are 1 / (scale·x + shift). Without a
 * calibrated scale the first is stretched over each frame to 1…10, which orders pixels but has no
 * unit.
 */
export function toMetres(values: Float32Array, output: Manifest['output']): void {
  if (output.meaning === 'log') {
    for (let i = 0; i < values.length; i++) values[i] = Math.exp(values[i] as number);
  } else if (output.meaning !== 'metres') {
    const { scale, shift } =
      output.scale === undefined
        ? relative(values)
        : { scale: output.scale, shift: output.shift ?? 0 };
    for (let i = 0; i < values.length; i++) values[i] = 1 / (scale * (values[i] as number) + shift);
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) values[i] = 0;
  }
}

const relativeNear = 1;
const relativeFar = 10;

function relative(values: Float32Array): { scale: number; shift: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = (1 / relativeNear - 1 / relativeFar) / (high - low || 1);
  return { scale, shift: 1 / relativeFar - scale * low };
}
