import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { OperatorDefinition } from '../../src/core/component.ts';
import type { DepthFrame, Frame, ImageFrame } from '../../src/core/frame.ts';
import { clamp } from '../../src/operators/clamp.ts';
import { colorize } from '../../src/operators/colorize.ts';
import { sample } from '../../src/operators/sample.ts';
import { sideBySide } from '../../src/operators/side-by-side.ts';
import { smooth } from '../../src/operators/smooth.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';

/** An operator that is given frames and changed options by turns. */
async function running(definition: unknown, options: object) {
  const operator = definition as OperatorDefinition;
  const context = testContext({ queue: { limit: 64, whenFull: 'block' } });
  const created = await operator.create(operator.options.parse(options), context);
  const input = new Subject<Frame>();
  const out: Frame[] = [];
  input.pipe(created).subscribe((frame) => out.push(frame));
  return {
    out,
    next: (frame: Frame) => input.next(frame),
    adjust: (changed: object) => context.adjust(operator.options.parse(changed)),
  };
}

const metres =
  (...values: number[]) =>
  (seq: number) =>
    depthFrame(values.length, 1, seq, (x) => values[x] as number);
const depths = (frame: Frame | undefined) => [...(frame as DepthFrame).data];

describe('changed while it runs', () => {
  test('clamp takes the next frame with its new range', async () => {
    const { out, next, adjust } = await running(clamp, { max: 4 });
    const frame = metres(1, 3, 5);
    next(frame(0));
    adjust({ min: 2, max: 10, outside: 'clip' });
    next(frame(1));
    expect(out.map(depths)).toEqual([
      [1, 3, 0],
      [2, 3, 5],
    ]);
    expect((out[1] as DepthFrame).range).toEqual([2, 10]);
  });

  test.each([
    [
      { method: 'ema', alpha: 0.5 },
      { method: 'ema', alpha: 0.25 },
    ],
    [{ method: 'median' }, { method: 'ema', alpha: 0.25 }],
    [{ method: 'motion' }, { method: 'ema', alpha: 0.25 }],
  ])('smooth goes on from its last depth: %o to %o', async (before, after) => {
    const { out, next, adjust } = await running(smooth, before);
    for (let seq = 0; seq < 5; seq++) next(metres(2)(seq));
    adjust(after);
    next(metres(2.4)(5));
    // A smoother without a history would give 2.4.
    expect(depths(out[5])[0]).toBeCloseTo(2.1, 5);
  });

  test('smooth goes on as a median, too', async () => {
    const { out, next, adjust } = await running(smooth, { method: 'ema', alpha: 1 });
    next(metres(2)(0));
    adjust({ method: 'median', window: 3 });
    next(metres(2.2)(1));
    next(metres(2.1)(2));
    expect(depths(out[2])[0]).toBeCloseTo(2.1, 5);
  });

  test('sample keeps another share', async () => {
    const { out, next, adjust } = await running(sample, { every: 2 });
    for (let seq = 0; seq < 6; seq++) next(metres(1)(seq));
    adjust({ every: 3 });
    for (let seq = 6; seq < 12; seq++) next(metres(1)(seq));
    adjust({ fps: 1000 });
    for (let seq = 12; seq < 15; seq++) next(metres(1)(seq));
    expect(out.map(({ seq }) => seq)).toEqual([0, 2, 4, 6, 9, 12, 13, 14]);
  });

  test('colorize gives what a new one with those options gives', async () => {
    const options = { colormap: 'grey', min: 1, max: 3 };
    const { out, next, adjust } = await running(colorize, { colormap: 'turbo', min: 0, max: 9 });
    const fresh = await running(colorize, options);
    next(metres(1, 2, 3)(0));
    adjust(options);
    next(metres(1, 2, 3)(1));
    fresh.next(metres(1, 2, 3)(1));
    const colors = (frame: Frame | undefined) => [...(frame as ImageFrame).data];
    expect(colors(out[1])).toEqual(colors(fresh.out[0]));
    expect(colors(out[1])).not.toEqual(colors(out[0]));
  });

  test('side-by-side changes its colours and keeps its size', async () => {
    const { out, next, adjust } = await running(sideBySide, { min: 0, max: 9 });
    const frame = (seq: number) => depthFrame(16, 12, seq, (x) => 1 + x / 10);
    next(frame(0));
    await until(() => out.length === 1);
    adjust({ min: 1, max: 2 });
    next(frame(1));
    await until(() => out.length === 2);
    const [first, second] = out as [ImageFrame, ImageFrame];
    expect([second.width, second.height]).toEqual([first.width, first.height]);
    expect(second.data).not.toEqual(first.data);
  });
});
