import { describe, expect, it } from 'vitest';
import { calibrate } from '../../src/depth/calibration.ts';
import { type KnownDepth, NoCalibration } from '../../src/depth/known-depth.ts';
import { fc } from '../support/property.ts';

const distances = [0.6, 1.1, 1.9, 2.8, 4.4, 6.5];
const inverse = (scale: number, shift: number) => (metres: number) => (1 / metres - shift) / scale;
const metric = (scale: number, shift: number) => (metres: number) => (metres - shift) / scale;

function pairs(
  of: (metres: number) => number,
  metres: readonly number[] = distances,
): KnownDepth[] {
  return metres.map((one) => ({ x: of(one), metres: one }));
}

describe('scale and shift', () => {
  it('are found exactly where the output is exact', () => {
    const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
    const any = fc.double({ min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(positive, any, fc.constantFrom('inverse', 'metric'), (scale, shift, form) => {
        const of = form === 'inverse' ? inverse : metric;
        const found = calibrate(pairs(of(scale, shift)), form as 'inverse' | 'metric');
        expect(found.scale / scale).toBeCloseTo(1, 6);
        expect(found.shift).toBeCloseTo(shift, 6);
        expect(found).toMatchObject({ pairs: 6, inliers: 6 });
        expect(found.medianAbsRel).toBeLessThan(1e-6);
      }),
    );
  });

  it.each(['inverse', 'metric'] as const)('survive two wrong distances of seven: %s', (form) => {
    const of = form === 'inverse' ? inverse(0.02, 0.03) : metric(0.8, 0.2);
    const known = pairs(of, [0.5, 0.9, 1.4, 2, 3, 4.2, 6]);
    const wrong = known.map((pair, i) => (i === 1 || i === 4 ? { ...pair, metres: 9 } : pair));
    const found = calibrate(wrong, form);
    expect(found.scale).toBeCloseTo(form === 'inverse' ? 0.02 : 0.8, 3);
    expect(found).toMatchObject({ pairs: 7, inliers: 5 });
  });

  it('survive 30 % wrong of a thousand noisy ones', () => {
    const of = inverse(0.02, 0.03);
    const known = Array.from({ length: 1000 }, (_, i): KnownDepth => {
      const metres = 0.5 + 6 * ((i * 0.618034) % 1);
      const noise = 1 + 0.06 * Math.sin(i * 12.9898);
      return { x: of(metres * noise), metres: i % 10 < 3 ? 0.5 + (i % 7) : metres };
    });
    const found = calibrate(known, 'inverse');
    expect(found.scale).toBeGreaterThan(0.019);
    expect(found.scale).toBeLessThan(0.021);
    expect(found.medianAbsRel).toBeLessThan(0.08);
  });

  it('ignore what is no distance', () => {
    const odd = [0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((metres) => ({ x: 1, metres }));
    const lost = { x: Number.NaN, metres: 2 };
    const found = calibrate([...pairs(inverse(2, 0.1)), ...odd, lost], 'inverse');
    expect(found).toMatchObject({ pairs: 6 });
  });
});

describe('a metric model', () => {
  /** Wrong by a factor, and by up to 15 % from place to place. */
  const noisy = (metres: number, i: number) => ({
    x: (metres / 1.4) * (1 + 0.15 * Math.sin(i * 2.4)),
    metres,
  });

  it('gets a scale alone from a few distances', () => {
    const found = calibrate(distances.slice(0, 5).map(noisy), 'metric');
    expect(found.shift).toBe(0);
    expect(found.scale).toBeGreaterThan(1.25);
    expect(found.scale).toBeLessThan(1.55);
  });

  it('gets it also from distances that are alike, and from outputs in no order', () => {
    expect(calibrate([1.9, 2, 2.1].map(noisy), 'metric')).toMatchObject({ shift: 0 });
    const falling = [2, 1.9, 1.8].map((x, i) => ({ x, metres: 2 + i / 2 }));
    expect(calibrate(falling, 'metric')).toMatchObject({ shift: 0 });
  });

  it('keeps nearer to its own metres, the fewer pictures say otherwise', () => {
    const scales = [1, 2, 5].map((count) => {
      const known = distances.slice(0, 5).map(noisy);
      return calibrate(
        known.map((pair, i) => ({ ...pair, picture: i % count })),
        'metric',
      ).scale;
    });
    expect(scales.toSorted((a, b) => a - b)).toEqual(scales);
    expect(scales[0]).toBeGreaterThan(1);
  });

  it('follows its pictures where it has no metres at all', () => {
    const known = distances.map((metres, i) => ({ ...noisy(metres, i), picture: 'one' }));
    const { scale } = calibrate(
      known.map((pair) => ({ ...pair, x: pair.x * 1000 })),
      'metric',
    );
    expect(scale).toBeCloseTo(0.0014, 4);
  });
});

describe('a relative model', () => {
  it('gets a scale alone where a shift predicts unseen distances worse', () => {
    const noise = [0.9, 1.09, 0.95, 0.99, 0.82];
    const known = [1.6, 1.9, 2.2, 2.6, 3].map((metres, i) => ({
      x: (noise[i] as number) / metres,
      metres,
    }));
    expect(calibrate(known, 'inverse')).toMatchObject({ shift: 0 });
  });
});

describe('errors', () => {
  it('are those of the pairs as they were given', () => {
    const known = [...pairs(metric(1, 0)), { x: 1, metres: Number.NaN }, { x: 2, metres: 4 }];
    const { errors } = calibrate(known, 'metric');
    expect(errors.slice(0, 6).every((error) => error < 1e-6)).toBe(true);
    expect(errors[6]).toBeNaN();
    expect(errors[7]).toBeCloseTo(0.5, 6);
  });
});

describe('refuses', () => {
  it.each<[string, readonly KnownDepth[], RegExp]>([
    ['none', [], /at least 3 known distances, and has 0/],
    ['two', pairs(inverse(1, 0), [1, 2]), /at least 3 known distances, and has 2/],
    ['one distance', pairs(inverse(1, 0), [2, 2.1, 2.2]), /about the same \(2\.00 to 2\.20 m\)/],
    ['one output', pairs(() => 5), /the same output at all known distances/],
    [
      'an output that grows the wrong way',
      pairs((metres) => metres),
      /contradict the order of the model/,
    ],
    [
      'contradictions',
      [0.5, 5, 1, 4, 0.7, 6, 0.6, 5.5].map((metres, i) => ({ x: (i * 37) % 11, metres })),
      /no scale and shift fit|contradict the order/,
    ],
  ])('%s', (_, known, message) => {
    expect(() => calibrate(known, 'inverse')).toThrow(NoCalibration);
    expect(() => calibrate(known, 'inverse')).toThrow(message);
  });
});
