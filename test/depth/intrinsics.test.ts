import { describe, expect, test } from 'vitest';
import type { Intrinsics } from '../../src/core/frame.ts';
import type { Fusion } from '../../src/core/fusion.ts';
import { fuseGeometry, geometryOfFrames } from '../../src/depth/fuse-geometry.ts';
import { intrinsicsOfFieldOfView, scaleIntrinsics } from '../../src/depth/intrinsics.ts';
import { intrinsicsSchema } from '../../src/depth/intrinsics-options.ts';
import { wholeView } from '../../src/depth/view.ts';
import { fc } from '../support/property.ts';

const camera = { width: 1280, height: 720 };
const k: Intrinsics = { fx: 900, fy: 910, cx: 645, cy: 355 };

/** The camera's geometry after operators in its launch line. */
function fused(fusions: readonly Fusion[]) {
  const { size, intrinsics } = fuseGeometry(
    { size: camera, view: wholeView(camera), intrinsics: k },
    fusions,
  );
  return { size, intrinsics: intrinsics as Intrinsics };
}

/** Where a point in front of the camera is seen. */
function project({ fx, fy, cx, cy }: Intrinsics, x: number, y: number) {
  return [fx * x + cx, fy * y + cy] as const;
}

test('a field of view of 90 degrees puts the border at 45 degrees', () => {
  const { fx, cx } = intrinsicsOfFieldOfView(90, camera);
  expect(fx).toBeCloseTo(640);
  expect(cx).toBe(639.5);
});

test('crop moves the principal point', () => {
  const fusion: Fusion = { do: 'crop', region: { left: 100, top: 50, width: 640, height: 480 } };
  const { intrinsics, size } = fused([fusion]);
  expect(size).toEqual({ width: 640, height: 480 });
  expect(intrinsics).toEqual({ fx: 900, fy: 910, cx: 545, cy: 305 });
});

test('FastDepth’s view of a 16:9 camera: the centre 4:3 part squeezed to 224×224', () => {
  const fusion: Fusion = {
    do: 'resize',
    width: 224,
    height: 224,
    fit: 'stretch',
    view: 4 / 3,
    on: 'auto',
  };
  const { intrinsics } = fused([fusion]);
  const [x, y] = project(k, 0.1, -0.2);
  const [u, v] = project(intrinsics, 0.1, -0.2);
  expect(u).toBeCloseTo((x + 0.5 - 160) * (224 / 960) - 0.5);
  expect(v).toBeCloseTo((y + 0.5) * (224 / 720) - 0.5);
});

test('letterbox keeps the focal lengths’ ratio and centres the picture', () => {
  const fusion: Fusion = { do: 'resize', width: 224, height: 224, fit: 'letterbox', on: 'auto' };
  const { intrinsics } = fused([fusion]);
  expect(intrinsics.fx / intrinsics.fy).toBeCloseTo(900 / 910);
  expect(intrinsics.cy).toBeCloseTo((k.cy + 0.5) * (224 / 1280) - 0.5 + (224 - 126) / 2);
});

test('flipping twice, and scaling there and back, change nothing', () => {
  const axis = fc.constantFrom('horizontal', 'vertical', 'both');
  fc.assert(
    fc.property(
      axis,
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: 1, max: 4000 }),
      (axis, width, height) => {
        const flips: Fusion[] = [
          { do: 'flip', axis },
          { do: 'flip', axis },
        ];
        const twice = fused(flips);
        expect(twice.intrinsics.cx).toBeCloseTo(k.cx);
        expect(twice.intrinsics.cy).toBeCloseTo(k.cy);
        const there = scaleIntrinsics(k, camera, { width, height });
        const back = scaleIntrinsics(there, { width, height }, camera);
        for (const key of ['fx', 'fy', 'cx', 'cy'] as const) expect(back[key]).toBeCloseTo(k[key]);
      },
    ),
  );
});

describe('of frames', () => {
  const toSquare: Fusion = { do: 'resize', width: 8, height: 8, fit: 'crop', on: 'cpu' };

  test('calibrated at another size than the camera runs at', () => {
    const half = { width: 640, height: 360 };
    const of = geometryOfFrames({ ...k, ...camera }, half, []);
    expect(of(half).intrinsics?.fx).toBeCloseTo(450);
  });

  test('of a source of unknown size are those of its frames', () => {
    const frame = { width: 320, height: 240 };
    const of = geometryOfFrames({ 'field-of-view': 90 }, undefined, []);
    expect(of(frame).intrinsics?.fx).toBeCloseTo(160);
    expect(of(frame).view).toEqual(wholeView(frame));
    expect(geometryOfFrames(undefined, undefined, [])(frame)).toEqual({ view: wholeView(frame) });
  });

  test('of a source that is resized follow the size that the launch line reports', () => {
    const of = geometryOfFrames({ 'field-of-view': 90 }, undefined, [toSquare]);
    const { view, intrinsics } = of({ width: 8, height: 8 }, camera);
    expect(view).toEqual({ left: 280, top: 0, width: 720, height: 720, source: camera });
    expect(intrinsics?.fx).toBeCloseTo((640 * 8) / 720);
  });

  test('are unknown where neither the source nor its launch line tells the size', () => {
    const of = geometryOfFrames({ 'field-of-view': 90 }, undefined, [toSquare]);
    expect(of({ width: 8, height: 8 })).toEqual({});
  });
});

test.each([
  [{ fx: 1, fy: 1, cx: 1 }, /either/],
  [{}, /either/],
  [{ fx: 1, fy: 1, cx: 1, cy: 1, 'field-of-view': 90 }, /either/],
  [{ 'field-of-view': 90, width: 10 }, /both width and height/],
])('options %j are rejected', (value, message) => {
  expect(intrinsicsSchema.safeParse(value).error?.issues[0]?.message).toMatch(message);
});
