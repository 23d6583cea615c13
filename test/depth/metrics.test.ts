import { describe, expect, it } from 'vitest';
import {
  DepthMetrics,
  depthErrorNames,
  frameErrors,
  medianScale,
} from '../../src/depth/metrics.ts';
import { fc } from '../support/property.ts';

const f32 = (...values: number[]) => Float32Array.from(values);

describe('frameErrors', () => {
  it('follows the definitions', () => {
    const errors = frameErrors(f32(1, 2.6, 4, 1), f32(1, 2, 2, 3))!;
    expect(errors.pixels).toBe(4);
    expect(errors.delta1).toBe(1 / 4);
    expect(errors.delta2).toBe(2 / 4);
    expect(errors.delta3).toBe(2 / 4);
    expect(errors.mae).toBeCloseTo((0 + 0.6 + 2 + 2) / 4, 6);
    expect(errors.rmse).toBeCloseTo(Math.sqrt((0.36 + 4 + 4) / 4), 6);
    expect(errors.absRel).toBeCloseTo((0.3 + 1 + 2 / 3) / 4, 6);
    expect(errors.sqRel).toBeCloseTo((0.18 + 2 + 4 / 3) / 4, 6);
    const logs = Math.log10(1.3) + Math.log10(2) + Math.log10(3);
    expect(errors.log10).toBeCloseTo(logs / 4, 6);
  });

  it('is zero for the truth itself', () => {
    expect(frameErrors(f32(1, 2, 3), f32(1, 2, 3))).toEqual({
      pixels: 3,
      coverage: 1,
      delta1: 1,
      delta2: 1,
      delta3: 1,
      rmse: 0,
      mae: 0,
      absRel: 0,
      sqRel: 0,
      log10: 0,
    });
  });

  it('leaves out invalid truth, and counts missing predictions', () => {
    const truth = f32(0, Number.NaN, -1, Number.POSITIVE_INFINITY, 2, 2, 2, 2);
    const prediction = f32(5, 5, 5, 5, 2, 0, Number.NaN, Number.POSITIVE_INFINITY);
    expect(frameErrors(prediction, truth)).toMatchObject({ pixels: 1, coverage: 1 / 4, mae: 0 });
  });

  it('keeps to the range', () => {
    const truth = f32(0.5, 1, 10, 11);
    expect(frameErrors(f32(1, 1, 10, 1), truth, { range: { min: 1, max: 10 } })).toMatchObject({
      pixels: 2,
      mae: 0,
    });
  });

  it.each([
    [1.25, { delta1: 0, delta2: 1, delta3: 1 }],
    [1.5625, { delta1: 0, delta2: 0, delta3: 1 }],
    [1.953125, { delta1: 0, delta2: 0, delta3: 0 }],
  ])('does not count a pixel at a factor of exactly %d as within it', (factor, deltas) => {
    expect(frameErrors(f32(factor), f32(1))).toMatchObject(deltas);
    expect(frameErrors(f32(1), f32(factor))).toMatchObject(deltas);
  });

  it('returns nothing for frames without a valid pixel', () => {
    expect(frameErrors(f32(1, 1), f32(0, Number.NaN))).toBeUndefined();
    expect(frameErrors(f32(0, 0), f32(1, 1))).toBeUndefined();
    expect(frameErrors(f32(), f32())).toBeUndefined();
  });

  it('refuses pictures of different size', () => {
    expect(() => frameErrors(f32(1), f32(1, 2))).toThrow(/1 pixels and truth 2/);
  });
});

describe('medianScale', () => {
  it('undoes any factor', () => {
    const depths = fc.array(fc.float({ min: 0.5, max: 10, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(depths, fc.float({ min: 0.25, max: 4, noNaN: true }), (values, factor) => {
        const truth = Float32Array.from(values);
        const prediction = truth.map((value) => value / factor);
        expect(medianScale(prediction, truth)).toBeCloseTo(factor, 4);
      }),
    );
  });

  it('looks only at pixels that are valid in both', () => {
    expect(medianScale(f32(1, 100, 0, 2), f32(2, 0, 7, 4))).toBe(2);
    expect(medianScale(f32(1, 1), f32(0, 0))).toBe(1);
  });
});

describe('the medians that medianScale compares', () => {
  it('are of sorted depths: the middle one, or the mean of the two in the middle', () => {
    expect(medianScale(f32(1, 1, 1), f32(9, 1, 3))).toBe(3);
    expect(medianScale(f32(8, 1, 2), f32(6, 6, 6))).toBe(3);
    expect(medianScale(f32(1, 1, 1, 1), f32(100, 1, 4, 2))).toBe(3);
  });

  it('are of depths within the range, both ends included', () => {
    const ones = f32(1, 1, 1, 1, 1);
    const range = { min: 1, max: 10 };
    expect(medianScale(ones, f32(0.5, 1, 10, 11, 12), range)).toBe(5.5);
    expect(medianScale(ones, f32(0.1, 0.5, 1, 10, 11), range)).toBe(5.5);
    expect(medianScale(ones, f32(-1, 0, Number.NaN, 1, 10), range)).toBe(5.5);
  });
});

describe('DepthMetrics', () => {
  const few = { prediction: f32(1, 0, 0, 0), truth: f32(2, 0, 0, 0) };
  const many = { prediction: f32(1, 1, 1, 5), truth: f32(1, 1, 1, 1) };

  it('averages frames, as FastDepth does', () => {
    const metrics = new DepthMetrics();
    metrics.add(few.prediction, few.truth);
    metrics.add(many.prediction, many.truth);
    const result = metrics.result();
    expect(result).toMatchObject({ frames: 2, pixels: 5, mae: 1, rmse: 1.5 });
    expect(result.delta1).toBe((0 + 0.75) / 2);
  });

  it('averages pixels when asked to', () => {
    const metrics = new DepthMetrics('pixels');
    metrics.add(few.prediction, few.truth);
    metrics.add(many.prediction, many.truth);
    const result = metrics.result();
    expect(result.mae).toBe(5 / 5);
    expect(result.rmse).toBeCloseTo(Math.sqrt(17 / 5), 10);
    const both = (a: Float32Array, b: Float32Array) => f32(...a, ...b);
    const together = frameErrors(
      both(few.prediction, many.prediction),
      both(few.truth, many.truth),
    )!;
    for (const name of depthErrorNames) expect(result[name]).toBeCloseTo(together[name], 10);
  });

  it('does not count frames without a valid pixel', () => {
    const metrics = new DepthMetrics();
    expect(metrics.add(f32(1), f32(0))).toBeUndefined();
    expect(metrics.result().frames).toBe(0);
    expect(metrics.result().rmse).toBeNaN();
  });

  it('scales the prediction when asked to', () => {
    const metrics = new DepthMetrics();
    metrics.add(f32(1, 2), f32(2, 4), undefined, 2);
    expect(metrics.result().rmse).toBe(0);
  });
});
