import { describe, expect, test } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { isValidDepth, isValidDepthBits } from '../../src/core/valid-depth.ts';
import { colorizeDepth } from '../../src/depth/colormap.ts';
import { colorizeError } from '../../src/depth/error-colors.ts';
import { flickerBetween } from '../../src/depth/flicker.ts';
import { frameErrors, medianScale } from '../../src/depth/metrics.ts';
import { toMillimetres } from '../../src/depth/millimetres.ts';
import { createSmoother } from '../../src/depth/smoothing.ts';
import { temporalMedian } from '../../src/depth/temporal-median.ts';
import { unproject } from '../../src/depth/unproject.ts';
import { depthExtent } from '../../src/depth/valid-pixels.ts';
import { toMetres } from '../../src/inference/tensors.ts';
import { clamp } from '../../src/operators/clamp.ts';
import { colorize } from '../../src/operators/colorize.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { decodeFrame, encodeFrame, packMessage, unpackMessage } from '../../src/topic/message.ts';
import { depthFrame } from '../support/frames.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: minusInfinity } = Number;
const invalid = [0, -0, nan, -1, infinity, minusInfinity];
const valid = [2 ** -149, 0.001, 2, (2 - 2 ** -23) * 2 ** 127];

test('the rule: finite and above zero', () => {
  expect(invalid.filter(isValidDepth)).toEqual([]);
  expect(valid.filter(isValidDepth)).toEqual(valid);
});

test('the rule on bits is the rule on values', () => {
  for (const value of [...invalid, ...valid]) {
    const [bits = 0] = new Int32Array(Float32Array.of(value).buffer);
    expect(isValidDepthBits(bits)).toBe(isValidDepth(value));
  }
});

test('a model’s output in metres is cleaned by the same rule', () => {
  const out = Float32Array.of(...invalid, ...valid);
  toMetres(out, { name: 'depth', meaning: 'metres' });
  expect([...out].map(Math.abs)).toEqual([...invalid.map(() => 0), ...valid.map(Math.fround)]);
});

describe.each(invalid)('a pixel of %d metres is invalid', (bad) => {
  // Three pixels, the bad one in the middle.
  const frame = (near = 2, far = 4): DepthFrame =>
    depthFrame(3, 1, 0, (x) => [near, bad, far][x] as number);
  const good = depthFrame(3, 1, 0, () => 2);
  const black = [0, 0, 0];
  /** Beside the colours of turbo and the default map. */
  const grey = [112, 112, 112];
  const middle = (rgb: Uint8Array | undefined) => [...(rgb ?? []).slice(3, 6)];

  test('to clamp, also when it clips', async () => {
    for (const outside of ['invalid', 'clip']) {
      const [out] = (await runOperator(clamp, { outside, max: 3 }, [frame()])) as DepthFrame[];
      expect(out?.data[1]).toBe(0);
    }
  });

  test('to colours, of depth and of error', async () => {
    expect(middle(colorizeDepth(frame(), { colormap: 'turbo', min: 1, max: 5 }))).toEqual(grey);
    const [out] = (await runOperator(colorize, {}, [frame()])) as ImageFrame[];
    expect(middle(out?.data)).toEqual(grey);
    expect(middle(colorizeError(frame(), good, 1))).toEqual(black);
    expect(middle(colorizeError(good, frame(), 1))).toEqual(black);
  });

  test('to smoothing', () => {
    for (const method of ['ema', 'median', 'motion'] as const) {
      const options = { alpha: 0.5, window: 5, motionThreshold: 0.1, sceneCut: 9, hold: 0 };
      const smoother = createSmoother({ method, ...options });
      const out = Array.from({ length: 6 }, () => smoother.next(frame()));
      expect(out.map((data) => data[1])).toEqual(Array(6).fill(0));
    }
  });

  test('to the temporal median', () => {
    const out = new Float32Array(3);
    for (const window of [3, 5]) {
      temporalMedian(Array(window).fill(frame().data), out);
      expect([...out]).toEqual([2, 0, 4]);
    }
  });

  test('to flicker, metrics and points', () => {
    expect(flickerBetween(frame(), frame(3, 5), 0)?.share).toBeCloseTo(2 / 3);
    expect(frameErrors(good.data, frame().data)?.pixels).toBe(2);
    expect(frameErrors(frame().data, good.data)).toMatchObject({ pixels: 2, coverage: 2 / 3 });
    const wide = { min: 0, max: infinity };
    expect(frameErrors(good.data, frame().data, { range: wide })?.pixels).toBe(2);
    expect(medianScale(good.data, frame(2, 2).data, wide)).toBe(1);
    expect(unproject(frame(), { fx: 1, fy: 1, cx: 0, cy: 0 }, 1).count).toBe(2);
  });

  test('to files of millimetres, and to the range that subscribe prints', () => {
    expect([...toMillimetres(frame().data)]).toEqual([2000, 0, 4000]);
    expect(depthExtent(frame().data)).toEqual({ min: 2, max: 4 });
    expect(depthExtent(Float32Array.of(bad))).toBeUndefined();
  });

  test.each(['32FC1', '16UC1'] as const)('on the topic it is the header’s 0, %s', (encoding) => {
    const sent = frame();
    const { header, payload } = encodeFrame(sent, { encoding, publishedAt: 0n, dropped: 0 });
    expect(header.invalid).toBe(0);
    const message = packMessage('multipart', 'depth', header, payload);
    const received = decodeFrame(unpackMessage(message)) as DepthFrame;
    expect([...received.data].map(Math.abs)).toEqual([2, 0, 4]);
    // The frame goes to other sinks too.
    expect(sent.data[1]).toBe(Math.fround(bad));
  });
});

test('a frame whose invalid pixels are 0 is published without a copy', () => {
  const frame = depthFrame(3, 1, 0, (x) => x);
  const { payload } = encodeFrame(frame, { encoding: '32FC1', publishedAt: 0n, dropped: 0 });
  expect(payload.buffer).toBe(frame.data.buffer);
});
