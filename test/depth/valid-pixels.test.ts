import { describe, expect, it } from 'vitest';
import { allValid, cleanCopy, depthExtent, invalidAsZero } from '../../src/depth/valid-pixels.ts';

const pixels = (...metres: number[]) => Float32Array.from(metres);
const invalid = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

describe('depthExtent', () => {
  it('is the smallest and the largest valid depth, wherever they are', () => {
    expect(depthExtent(pixels(3, 1, 2))).toEqual({ min: 1, max: 3 });
    expect(depthExtent(pixels(1, 2, 3))).toEqual({ min: 1, max: 3 });
    expect(depthExtent(pixels(2))).toEqual({ min: 2, max: 2 });
    expect(depthExtent(pixels(...invalid, 4, ...invalid, 2, ...invalid))).toEqual({
      ...{ min: 2, max: 4 },
    });
  });

  it('is undefined if no pixel is valid', () => {
    expect(depthExtent(pixels())).toBeUndefined();
    expect(depthExtent(pixels(...invalid))).toBeUndefined();
  });
});

describe('allValid', () => {
  it('looks at every pixel', () => {
    expect(allValid(pixels(1, 2, 3))).toBe(true);
    expect(allValid(pixels())).toBe(true);
    for (const bad of invalid) {
      expect(allValid(pixels(bad, 2, 3))).toBe(false);
      expect(allValid(pixels(1, 2, bad))).toBe(false);
    }
  });
});

describe('cleanCopy', () => {
  it('has 0 for every invalid pixel, and is a copy', () => {
    const data = pixels(1, ...invalid, 2);
    expect([...cleanCopy(data)]).toEqual([1, 0, 0, 0, 0, 0, 2]);
    const clean = pixels(1, 2);
    expect(cleanCopy(clean)).toEqual(clean);
    expect(cleanCopy(clean)).not.toBe(clean);
  });
});

describe('invalidAsZero', () => {
  it('is the data itself if 0 is its only invalid value', () => {
    const data = pixels(1, 0, 2);
    expect(invalidAsZero(data)).toBe(data);
    expect(invalidAsZero(pixels())).toHaveLength(0);
  });

  it('looks at every pixel, and keeps the largest, the smallest and -0 as readers see them', () => {
    const data = new Float32Array(9).fill(2);
    data.set([(2 - 2 ** -23) * 2 ** 127, 2 ** -149]);
    expect(invalidAsZero(data)).toBe(data);
    for (let at = 0; at < data.length; at++) {
      for (const bad of invalid.slice(1)) {
        const one = data.slice();
        one[at] = bad;
        const expected = data.slice();
        expected[at] = 0;
        expect([...invalidAsZero(one)]).toEqual([...expected]);
      }
    }
    expect(invalidAsZero(pixels(1, 1, 1, -0))[3]).toBeCloseTo(0);
  });

  it('is a copy with 0 in place of any other, the last one too', () => {
    for (const bad of invalid.slice(1)) {
      const data = pixels(1, 0, bad);
      expect([...invalidAsZero(data)]).toEqual([1, 0, 0]);
      expect(data[2]).toBe(bad);
      expect([...invalidAsZero(pixels(bad, 3))]).toEqual([0, 3]);
    }
  });
});
