import {
  flipAxes,
  type Intrinsics,
  latestTime,
  type ModelIdentity,
  type View,
} from '../core/frame.ts';
import type { Rectangle } from '../core/size.ts';

/** Focal length, centre or edge of a view, pixels: far beyond any camera. */
const longestPixels = 1e9;

/** A whole number from 0 that JSON and JavaScript keep exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** File that a frame was read from. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024;
}

/** Nanoseconds in decimal digits. */
export function isNanoseconds(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) && BigInt(value) <= latestTime;
}

/** Smallest and largest depth, metres. */
export function isRange(value: unknown): value is readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high] = value as unknown[];
  return isFiniteNumber(low) && isFiniteNumber(high) && low >= 0 && low < high;
}

/** Camera intrinsics, pixels. */
export function isIntrinsics(value: unknown): value is Intrinsics {
  if (typeof value !== 'object' || value === null) return false;
  const { fx, fy, cx, cy } = value as Partial<Intrinsics>;
  const bounded = [fx, fy, cx, cy].every((n) => isFiniteNumber(n) && Math.abs(n) <= longestPixels);
  return bounded && (fx as number) > 0 && (fy as number) > 0;
}

/** A part of the source's picture, pixels of that. */
export function isView(value: unknown): value is View {
  if (!isRectangle(value)) return false;
  const { source, flip, shown } = value as Partial<View>;
  if (typeof source !== 'object' || source === null) return false;
  const sides = [source.width, source.height];
  if (!sides.every((side) => isCount(side) && side > 0 && side <= longestPixels)) return false;
  if (flip !== undefined && !flipAxes.includes(flip)) return false;
  return shown === undefined || isRectangle(shown);
}

function isRectangle(value: unknown): value is Rectangle {
  if (typeof value !== 'object' || value === null) return false;
  const { left, top, width, height } = value as Partial<Rectangle>;
  const bounded = [left, top, width, height].every(
    (n) => isFiniteNumber(n) && Math.abs(n) <= longestPixels,
  );
  return bounded && (width as number) > 0 && (height as number) > 0;
}

export function isModel(value: unknown): value is ModelIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { name, sha256 } = value as Partial<ModelIdentity>;
  return typeof name === 'string' && typeof sha256 === 'string';
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
