import { describe, expect, test } from 'vitest';
import type { View } from '../../src/core/frame.ts';
import { cropFrame, fitDepth, flipFrame } from '../../src/depth/frame-geometry.ts';
import { viewOf, wholeView } from '../../src/depth/view.ts';
import type { DepthFrame } from '../../src/index.ts';
import { type Method, Upsampler } from '../../src/registration/upsample.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

const size = { width: 80, height: 40 };
const upsampler = new Upsampler();

/** Depth of a source of 80×40. */
function depth(
  width: number,
  height: number,
  fill: (x: number, y: number) => number,
  view: View = wholeView(size),
): DepthFrame {
  return { ...depthFrame(width, height, 0, fill), view };
}

function place(frame: DepthFrame, method: Method, picture = imageFrame(80, 40)): Float32Array {
  const out = new Float32Array(80 * 40);
  const placed = { size: { width: frame.width, height: frame.height }, view: viewOf(frame) };
  const target = { size, view: wholeView(size) };
  upsampler.run({ depth: { ...frame, ...placed }, target, picture, method }, out);
  return out;
}

const at = (out: Float32Array, x: number, y: number) => out[y * 80 + x] as number;

test('an edge of the depth moves to that of the picture', () => {
  // The picture's edge is at column 42; depth pixels are four wide, so theirs is at 40 or 44.
  const picture = imageFrame(80, 40, 0, (x) => (x < 42 ? [20, 30, 40] : [200, 180, 90]));
  const low = depth(20, 10, (x) => (x < 10 ? 1 : 3));
  const sharp = place(low, 'bilateral', picture);
  for (let y = 0; y < 40; y++) {
    expect(at(sharp, 41, y)).toBe(1);
    expect(at(sharp, 42, y)).toBe(3);
  }
  // No depth lies between the surfaces, which bilinear interpolation cannot avoid.
  expect(new Set(sharp)).toEqual(new Set([1, 3]));
  expect(new Set(place(low, 'bilinear', picture)).size).toBeGreaterThan(2);
});

test('texture on one surface leaves no trace', () => {
  const checkers = imageFrame(80, 40, 0, (x, y) =>
    ((x >> 2) + (y >> 2)) % 2 ? [255, 255, 255] : [0, 0, 0],
  );
  const slope = depth(20, 10, (x, y) => 2 + x * 0.02 + y * 0.01);
  expect(place(slope, 'bilateral', checkers)).toEqual(place(slope, 'bilinear', checkers));
});

test('a slope in steps of two pixels, as networks make it, is one surface', () => {
  const lines = imageFrame(80, 40, 0, (x) => (x % 3 ? [20, 30, 40] : [200, 180, 90]));
  const steps = depth(40, 20, (x) => 2 * 1.08 ** (x >> 1));
  expect(place(steps, 'bilateral', lines)).toEqual(place(steps, 'bilinear', lines));
});

describe.each(['bilateral', 'bilinear'] as const)('%s', (method) => {
  test('interpolates a plane exactly', () => {
    const out = place(
      depth(20, 10, (x, y) => 3 + x * 0.02 + y * 0.04),
      method,
    );
    for (const [x, y] of [
      [10, 10],
      [33, 21],
      [70, 30],
    ] as const) {
      expect(at(out, x, y)).toBeCloseTo(
        3 + ((x + 0.5) / 4 - 0.5) * 0.02 + ((y + 0.5) / 4 - 0.5) * 0.04,
        5,
      );
    }
  });

  test('is invalid where the network did not look', () => {
    const view = { left: 20, top: 0, width: 40, height: 40, source: size };
    const out = place(
      depth(10, 10, () => 2, view),
      method,
    );
    for (const [x, wanted] of [
      [0, 0],
      [19, 0],
      [20, 2],
      [59, 2],
      [60, 0],
      [79, 0],
    ] as const) {
      expect(at(out, x, 20)).toBe(wanted);
    }
  });

  test('is invalid where the depth is, and spreads neither into the other', () => {
    const picture = imageFrame(80, 40, 0, (x) => (x < 40 ? [20, 30, 40] : [200, 180, 90]));
    const out = place(
      depth(20, 10, (x) => (x < 10 ? Number.NaN : 5)),
      method,
      picture,
    );
    expect(at(out, 38, 20)).toBe(0);
    expect(at(out, 41, 20)).toBe(5);
    expect([...out].every((metres) => metres === 0 || metres === 5)).toBe(true);
  });

  test('finds its place after any flip, crop and bars', () => {
    const whole = depth(40, 20, (x, y) => 1 + x / 10 + y);
    const plain = place(whole, 'bilinear');
    for (const axis of ['horizontal', 'vertical', 'both'] as const) {
      const flipped = place(flipFrame(whole, axis), 'bilinear');
      for (const [i, metres] of flipped.entries())
        expect(metres).toBeCloseTo(plain[i] as number, 4);
    }
    const part = cropFrame(flipFrame(whole, 'both'), { left: 0, top: 0, width: 20, height: 10 });
    const barred = place(fitDepth(part, { width: 60, height: 10 }, 'letterbox'), method);
    expect(at(barred, 10, 30)).toBe(0);
    expect(at(barred, 70, 10)).toBe(0);
    expect(at(barred, 70, 30)).toBeCloseTo(at(plain, 70, 30), 0);
  });
});

test('rgba pictures and a larger depth than the picture', () => {
  const rgba = {
    ...imageFrame(80, 40),
    format: 'rgba' as const,
    data: new Uint8Array(80 * 40 * 4).fill(99),
  };
  const out = place(
    depth(200, 100, (x) => (x < 100 ? 1 : 3)),
    'bilateral',
    rgba,
  );
  expect(at(out, 20, 20)).toBe(1);
  expect(at(out, 60, 20)).toBe(3);
});
