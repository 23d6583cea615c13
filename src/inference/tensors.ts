import { float16Bits } from './float16.ts';
import type { Manifest } from './manifest.ts';

type Input = Manifest['input'];
type Output = Manifest['output'];

/** True if the model takes a picture's bytes unchanged. */
export function isPlainInput(input: Input): boolean {
  return input.dtype === 'uint8' && input.layout === 'NHWC' && input.channels === 'RGB';
}

/**
 * Fills the model's input from interleaved uint8 RGB, as the manifest says: channel order, layout
 * and, for floats, `(range(value) − mean) / std`, with mean and std in the model's channel order.
 *
 * @param rgb `height × width × 3` bytes
 * @param out as many elements: uint8, float32, or the bits of float16
 */
export function prepareInput(
  rgb: Uint8Array,
  input: Input,
  out: Uint8Array | Float32Array | Uint16Array,
): void {
  const pixels = rgb.length / 3;
  const planar = input.layout === 'NCHW';
  for (let channel = 0; channel < 3; channel++) {
    const from = input.channels === 'BGR' ? 2 - channel : channel;
    const start = planar ? channel * pixels : channel;
    const step = planar ? 1 : 3;
    // Each byte gives one of 256 values, so the arithmetic is done once, in double precision.
    const table = elementTable(input, channel);
    for (let i = 0; i < pixels; i++) {
      const byte = rgb[i * 3 + from] as number;
      out[start + i * step] = table ? (table[byte] as number) : byte;
    }
  }
}

/** The element that each byte becomes; nothing if it stays as it is. */
function elementTable(input: Input, channel: number): Float32Array | Uint16Array | undefined {
  if (input.dtype === 'uint8') return undefined;
  const floats = floatTable(input, channel);
  return input.dtype === 'float32' ? floats : Uint16Array.from(floats, float16Bits);
}

function floatTable(input: Input, channel: number): Float32Array {
  const [low, high] = input.range ?? [0, 1];
  const mean = input.mean?.[channel] ?? 0;
  const std = input.std?.[channel] ?? 1;
  return Float32Array.from(
    { length: 256 },
    (_, byte) => (low + (byte / 255) * (high - low) - mean) / std,
  );
}

/** Fills `rgb` from RGBA bytes, without their alpha. */
export function dropAlpha(rgba: Uint8Array, rgb: Uint8Array): void {
  const pixels = rgb.length / 3;
  for (let i = 0; i < pixels; i++) {
    rgb[i * 3] = rgba[i * 4] as number;
    rgb[i * 3 + 1] = rgba[i * 4 + 1] as number;
    rgb[i * 3 + 2] = rgba[i * 4 + 2] as number;
  }
}

/**
 * Converts the model's output to depth, in place: metres, or relative depth (see `isRelative`).
 * Values that are not finite, not above zero or outside the manifest's range become 0, invalid.
 *
 * `disparity` x is scale / (x + shift) metres; `inverse-relative` x (MiDaS, Depth Anything) is
 * 1 / (scale·x + shift); `metres` and `log` are multiplied by scale, then shift is added. Without a
 * scale, disparity and inverse-relative are relative: 1 / (a·x + b), with a and b such that the
 * nearest pixel of the frame becomes 1 and the farthest 10. Larger is farther, as with metres; but
 * there is no unit, ratios mean nothing, and a and b change from frame to frame.
 */
export function toMetres(values: Float32Array, output: Output): void {
  const { meaning } = output;
  if (meaning === 'log') {
    for (let i = 0; i < values.length; i++) values[i] = Math.exp(values[i] as number);
  }
  if (meaning === 'log' || meaning === 'metres') {
    adjust(values, output);
  } else if (meaning === 'disparity' && output.scale !== undefined) {
    const { scale, shift = 0 } = output;
    for (let i = 0; i < values.length; i++) values[i] = scale / ((values[i] as number) + shift);
  } else {
    const { scale, shift } = inverseLine(values, output);
    for (let i = 0; i < values.length; i++) values[i] = 1 / (scale * (values[i] as number) + shift);
  }
  dropOutside(values, output.range ?? [smallest, largest]);
}

/** Applies the calibration of depth that is in metres already; what is invalid stays so. */
function adjust(values: Float32Array, { scale = 1, shift = 0 }: Output): void {
  if (scale === 1 && shift === 0) return;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    values[i] = value > 0 ? scale * value + shift : 0;
  }
}

/** Smallest and largest finite float32 above zero. */
const smallest = 2 ** -149;
const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * Sets values outside the range to 0. Positive floats sort like their bits, and all others have bits
 * below 0 or above those of infinity, so comparing bits also finds zero, negative, infinite and NaN.
 * Four at a time, since all four are nearly always valid.
 */
function dropOutside(values: Float32Array, [low, high]: readonly [number, number]): void {
  const limits = Float32Array.of(Math.max(low, smallest), Math.min(high, largest));
  const [from, to] = new Int32Array(limits.buffer) as unknown as readonly [number, number];
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const dropBetween = (start: number, end: number) => {
    for (let i = start; i < end; i++) {
      const value = bits[i] as number;
      if (value < from || value > to) bits[i] = 0;
    }
  };
  const inFours = bits.length & ~3;
  for (let i = 0; i < inFours; i += 4) {
    const a = bits[i] as number;
    const b = bits[i + 1] as number;
    const c = bits[i + 2] as number;
    const d = bits[i + 3] as number;
    // A negative difference sets the sign of the result; where one overflows, the other does not.
    const signs =
      (a - from) | (to - a) | (b - from) | (to - b) | (c - from) | (to - c) | (d - from) | (to - d);
    if (signs < 0) dropBetween(i, i + 4);
  }
  dropBetween(inFours, bits.length);
}

const relativeNear = 1;
const relativeFar = 10;

/** True if the depth orders pixels but is not in metres. */
export function isRelative({ meaning, scale }: Output): boolean {
  return (meaning === 'inverse-relative' || meaning === 'disparity') && scale === undefined;
}

function inverseLine(values: Float32Array, output: Output): { scale: number; shift: number } {
  if (output.scale !== undefined) return { scale: output.scale, shift: output.shift ?? 0 };
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    // An infinite value would compress all others.
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = (1 / relativeNear - 1 / relativeFar) / (high - low || 1);
  return { scale, shift: 1 / relativeFar - scale * low };
}
