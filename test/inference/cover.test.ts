import { describe, expect, test } from 'vitest';
import { leavesOut, mergeViews, planTwoViews } from '../../src/inference/cover.ts';
import { depthFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';

const input = { width: 224, height: 224, view: 4 / 3 };

test('two views of a 16:9 picture overlap by half of it', () => {
  const plan = planTwoViews({ width: 1280, height: 720 }, input);
  expect(plan).toMatchObject({ along: 'width', shift: 75 });
  expect(plan.first.part).toEqual({ left: 0, top: 0, width: 959, height: 720 });
  expect(plan.second.part).toEqual({ left: 321, top: 0, width: 959, height: 720 });
  expect(plan.whole).toMatchObject({
    part: { left: 0, top: 0, width: 1280, height: 720 },
    size: { width: 299, height: 224 },
  });
});

test('of a tall picture they are above each other', () => {
  const plan = planTwoViews({ width: 720, height: 720 }, input);
  expect(plan).toMatchObject({ along: 'height', shift: 75 });
  expect(plan.first.part).toMatchObject({ top: 0, width: 720 });
  expect(plan.second.part.top + plan.second.part.height).toBe(720);
});

test('of a picture longer than both, the ends are left out', () => {
  const { whole, first, second, shift } = planTwoViews({ width: 4000, height: 900 }, input);
  expect(whole.part).toEqual({ left: 800, top: 0, width: 2400, height: 900 });
  expect([first.part.left, second.part.left, shift]).toEqual([800, 2000, 224]);
});

test('any two views lie in the picture and have the network’s shape', () => {
  const side = fc.integer({ min: 64, max: 4000 });
  fc.assert(
    fc.property(side, side, (width, height) => {
      const { first, second, along, shift } = planTwoViews({ width, height }, input);
      expect(shift).toBeLessThanOrEqual(224);
      for (const { part } of [first, second]) {
        expect(part.left).toBeGreaterThanOrEqual(0);
        expect(part.top).toBeGreaterThanOrEqual(0);
        expect(part.left + part.width).toBeLessThanOrEqual(width);
        expect(part.top + part.height).toBeLessThanOrEqual(height);
        const wanted = along === 'width' ? part.height * input.view : part.width / input.view;
        expect(Math.abs(part[along] - wanted)).toBeLessThan(0.02 * wanted + 2);
      }
    }),
  );
});

test('a picture of nearly the same shape is one view', () => {
  expect(leavesOut({ width: 640, height: 480 }, 4 / 3)).toBe(false);
  expect(leavesOut({ width: 1280, height: 720 }, 4 / 3)).toBe(true);
});

describe('merged views', () => {
  const side = { along: 'width', shift: 4 } as const;

  test('of one scene give that scene', () => {
    const scene = depthFrame(12, 5, 0, (x, y) => 2 + x / 4 + y / 8);
    const part = (left: number) => depthFrame(8, 5, 0, (x, y) => 2 + (x + left) / 4 + y / 8);
    const merged = mergeViews(part(0), part(4), side);
    expect(merged).toMatchObject({ width: 12, height: 5 });
    for (const [i, metres] of merged.data.entries())
      expect(metres).toBeCloseTo(scene.data[i] as number, 5);
    const upright = (top: number) => depthFrame(12, 4, 0, (x, y) => 2 + x / 4 + (y + top) / 8);
    const stacked = mergeViews(upright(0), upright(1), { along: 'height', shift: 1 });
    expect(stacked).toMatchObject({ width: 12, height: 5 });
    for (const [i, metres] of stacked.data.entries())
      expect(metres).toBeCloseTo(scene.data[i] as number, 5);
  });

  test('that judge the distance differently meet in the middle, without a seam', () => {
    const merged = mergeViews(
      depthFrame(8, 5, 0, () => 2),
      depthFrame(8, 5, 0, () => 8),
      side,
    );
    for (const metres of merged.data) expect(metres).toBeCloseTo(4, 5);
  });

  test('change over smoothly where they disagree in shape', () => {
    const flat = depthFrame(64, 3, 0, () => 2);
    const sloped = depthFrame(64, 3, 0, (x) => 2 + (x - 16) / 64);
    const { data, width } = mergeViews(flat, sloped, { along: 'width', shift: 32 });
    const row = data.subarray(width, 2 * width);
    for (let x = 1; x < width; x++) {
      expect(Math.abs((row[x] as number) - (row[x - 1] as number))).toBeLessThan(0.05);
    }
  });

  test('take what is valid in either, and stay within the range', () => {
    const left = depthFrame(8, 5, 0, (x) => (x < 6 ? 3 : 0));
    const right = depthFrame(8, 5, 0, () => 3);
    expect(new Set(mergeViews(left, right, side).data)).toEqual(new Set([3]));
    const none = depthFrame(8, 5, 0, () => Number.NaN);
    expect(new Set(mergeViews(none, none, side).data)).toEqual(new Set([0]));
    const far = mergeViews(
      depthFrame(8, 5, 0, () => 6),
      depthFrame(8, 5, 0, () => 9),
      side,
      [1, 7],
    );
    expect(Math.max(...far.data)).toBeLessThanOrEqual(7);
  });
});
