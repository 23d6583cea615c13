import { describe, expect, test } from 'vitest';
import {
  type DepthFrame,
  flipAxes,
  type ImageFrame,
  type Intrinsics,
  type View,
} from '../../src/core/frame.ts';
import type { Fusion } from '../../src/core/fusion.ts';
import { centreOfAspect, planFit } from '../../src/depth/fit-plan.ts';
import { cropFrame, fitDepth, fittedBase, flipFrame } from '../../src/depth/frame-geometry.ts';
import { fuseGeometry } from '../../src/depth/fuse-geometry.ts';
import {
  pixelAspect,
  shownPart,
  sourceIntrinsics,
  viewOf,
  wholeView,
} from '../../src/depth/view.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';

const camera = { width: 1280, height: 720 };
const k: Intrinsics = { fx: 1000, fy: 1000, cx: 639.5, cy: 359.5 };

/** FastDepth's depth of a 1280×720 camera: its centre 4:3 part, squeezed into a square. */
function squeezed(): DepthFrame {
  const toNetwork: Fusion = {
    do: 'resize',
    width: 224,
    height: 224,
    fit: 'stretch',
    view: 4 / 3,
    on: 'auto',
  };
  const whole = { size: camera, view: wholeView(camera), intrinsics: k };
  const { view, intrinsics } = fuseGeometry(whole, [toNetwork]);
  return { ...depthFrame(224, 224), view, intrinsics: intrinsics as Intrinsics };
}

test('a 4:3 view of a 16:9 camera', () => {
  const { view } = squeezed();
  expect(view).toEqual({ left: 160, top: 0, width: 960, height: 720, source: camera });
  expect(pixelAspect(squeezed())).toBeCloseTo(4 / 3);
});

test('depth of a squeezed 4:3 view resized to 16:9 keeps the shape of what it shows', () => {
  const out = fitDepth(squeezed(), camera, 'crop');
  expect(out).toMatchObject(camera);
  expect(out.intrinsics?.fx).toBeCloseTo(1333.3, 0);
  expect(out.intrinsics?.fy).toBeCloseTo(1333.3, 0);
  expect(out.view).toMatchObject({ left: 160, width: 960, height: 540, top: 90 });
});

test('with bars, nothing is cut and the shape is kept', () => {
  const out = fitDepth(squeezed(), camera, 'letterbox');
  expect(out.intrinsics).toMatchObject({ fx: expect.closeTo(1000), fy: expect.closeTo(1000) });
  expect(out.intrinsics).toMatchObject({ cx: expect.closeTo(639.5), cy: expect.closeTo(359.5) });
  expect(out.view).toEqual({
    ...wholeView(camera),
    shown: { left: 160, top: 0, width: 960, height: 720 },
  });
  expect(out.data[0]).toBe(0);
  expect(out.data[160]).toBe(2);
});

test('stretch distorts, as asked, and the intrinsics say so', () => {
  const out = fitDepth(squeezed(), camera, 'stretch');
  expect(out.intrinsics?.fx).toBeCloseTo((1000 * 1280) / 960);
  expect(out.intrinsics?.fy).toBeCloseTo(1000);
});

test('a picture of the right size stays as it is', () => {
  const frame = squeezed();
  expect(fitDepth(frame, { width: 224, height: 224 }, 'crop')).toBe(frame);
});

test('a flipped crop shows the other side', () => {
  const frame = flipFrame(imageFrame(100, 50), 'horizontal');
  const { view } = cropFrame(frame, { left: 0, top: 10, width: 30, height: 20 });
  expect(view).toMatchObject({ left: 70, top: 10, width: 30, height: 20, flip: 'horizontal' });
});

describe('any sequence of crop, resize and flip', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('flip' as const), axis: fc.constantFrom(...flipAxes) }),
    fc.record({
      do: fc.constant('crop' as const),
      aspect: fc.double({ min: 0.5, max: 2, noNaN: true }),
    }),
    fc.record({
      do: fc.constant('resize' as const),
      width: fc.integer({ min: 8, max: 64 }),
      height: fc.integer({ min: 8, max: 64 }),
      fit: fc.constantFrom('crop' as const, 'letterbox' as const, 'stretch' as const),
      on: fc.constant('auto' as const),
    }),
  );
  const steps = fc.array(step, { maxLength: 5 });
  const start: ImageFrame = {
    ...imageFrame(64, 36),
    intrinsics: k,
    view: wholeView({ width: 64, height: 36 }),
  };

  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  function apply(frame: ImageFrame, action: Step): ImageFrame {
    if (action.do === 'flip') return flipFrame(frame, action.axis);
    if (action.do === 'crop') return cropFrame(frame, centreOfAspect(frame, action.aspect));
    const plan = planFit(frame, action, action.fit);
    if (plan.untouched) return frame;
    const { width, height } = action;
    return {
      ...frame,
      ...fittedBase(frame, plan),
      width,
      height,
      data: new Uint8Array(width * height * 3),
    };
  }

  test('leaves intrinsics that lead back to those of the camera', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const frame = all.reduce(apply, start);
        const back = sourceIntrinsics(frame as ImageFrame & { intrinsics: Intrinsics });
        for (const key of ['fx', 'fy', 'cx', 'cy'] as const)
          expect(back[key]).toBeCloseTo(k[key], 4);
        expect(viewOf(frame).source).toEqual({ width: 64, height: 36 });
      }),
    );
  });

  test('gives the same in a launch line as in this process', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const frame = all.reduce(apply, start);
        const fusions = all.map(
          (one): Fusion =>
            one.do === 'crop' ? { do: 'crop', region: { aspect: one.aspect } } : one,
        );
        const { size, view, intrinsics } = fuseGeometry(
          {
            size: { width: 64, height: 36 },
            view: wholeView({ width: 64, height: 36 }),
            intrinsics: k,
          },
          fusions,
        );
        expect(size).toEqual({ width: frame.width, height: frame.height });
        expectNear(viewOf(frame), view);
        expect(frame.intrinsics?.cx).toBeCloseTo(intrinsics?.cx as number, 6);
      }),
    );
  });

  test('shows nothing outside the source', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { left, top, width, height } = shownPart(viewOf(all.reduce(apply, start)));
        expect(left).toBeGreaterThanOrEqual(0);
        expect(top).toBeGreaterThanOrEqual(0);
        expect(left + width).toBeLessThanOrEqual(64 + 1e-9);
        expect(top + height).toBeLessThanOrEqual(36 + 1e-9);
      }),
    );
  });
});

function expectNear(a: View, b: View) {
  for (const key of ['left', 'top', 'width', 'height'] as const) expect(a[key]).toBeCloseTo(b[key]);
  expect(a.flip).toBe(b.flip);
}
