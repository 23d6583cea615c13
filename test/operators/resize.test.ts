import { describe, expect, test } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { resize } from '../../src/operators/resize.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

const options = { width: 8, height: 8 };

/** Grey ramps along both axes, so that a place can be read from a colour. */
const ramp = (width: number, height: number) =>
  imageFrame(width, height, 0, (x, y) => [x, y, 0] as const);

async function image(options: object, frame: ImageFrame): Promise<ImageFrame> {
  return (await runOperator(resize, options, [frame]))[0] as ImageFrame;
}

function pixel({ data, width }: ImageFrame, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

const opaque = (pixels: number) =>
  Uint8Array.from({ length: pixels * 4 }, (_, i) => (i % 4 === 3 ? 255 : 200));

describe('resize in this process', () => {
  test('passes a frame of the right size unchanged', async () => {
    const frame = imageFrame(8, 8);
    expect(await image(options, frame)).toBe(frame);
  });

  test('crop keeps the centre of the target’s shape', async () => {
    const out = await image({ width: 40, height: 40 }, ramp(160, 80));
    expect(out).toMatchObject({ width: 40, height: 40 });
    // Columns 40 to 119 of 160 are kept.
    expect(pixel(out, 10, 20)[0]).toBeCloseTo(60.5, -0.5);
    expect(pixel(out, 30, 20)[0]).toBeCloseTo(100.5, -0.5);
  });

  test('view: the centre 4:3 part of a 16:9 picture, squeezed', async () => {
    const out = await image({ width: 20, height: 20, view: '4:3' }, ramp(160, 90));
    // Columns 20 to 139 of 160 are kept, six to one; rows 4.5 to one.
    expect(Math.abs((pixel(out, 5, 5)[0] as number) - (20 + 5.5 * 6 - 0.5))).toBeLessThanOrEqual(1);
    expect(Math.abs((pixel(out, 5, 5)[1] as number) - (5.5 * 4.5 - 0.5))).toBeLessThanOrEqual(1);
  });

  test('stretch keeps everything', async () => {
    const out = await image({ width: 20, height: 20, fit: 'stretch' }, ramp(160, 80));
    expect(Math.abs((pixel(out, 10, 10)[0] as number) - 83.5)).toBeLessThanOrEqual(1);
    expect(Math.abs((pixel(out, 10, 10)[1] as number) - 41.5)).toBeLessThanOrEqual(1);
  });

  test('letterbox adds black bars', async () => {
    const white = imageFrame(40, 20, 0, () => [255, 255, 255]);
    const out = await image({ width: 20, height: 20, fit: 'letterbox' }, white);
    expect(pixel(out, 10, 4)).toEqual([0, 0, 0]);
    expect(pixel(out, 10, 5)).toEqual([255, 255, 255]);
    expect(pixel(out, 10, 14)).toEqual([255, 255, 255]);
    expect(pixel(out, 10, 15)).toEqual([0, 0, 0]);
  });

  test('averages what it shrinks, rather than picking pixels', async () => {
    const stripes = imageFrame(64, 64, 0, (x) => (x % 2 ? [255, 255, 255] : [0, 0, 0]));
    const out = await image(options, stripes);
    for (const value of out.data.subarray(3 * 8, 3 * 16)) {
      expect(Math.abs(value - 127)).toBeLessThan(12);
    }
  });

  test('rgba stays rgba', async () => {
    const rgba: ImageFrame = {
      ...imageFrame(16, 16),
      format: 'rgba',
      data: opaque(16 * 16),
    };
    const out = await image(options, rgba);
    expect(out.format).toBe('rgba');
    expect(out.data).toEqual(opaque(8 * 8));
  });

  test.each(['crop', 'stretch', 'letterbox'])('intrinsics follow a %s', async (fit) => {
    const frame = { ...ramp(160, 80), intrinsics: { fx: 100, fy: 100, cx: 79.5, cy: 39.5 } };
    const { intrinsics } = await image({ width: 40, height: 40, fit }, frame);
    const [fx, fy] = { crop: [50, 50], stretch: [25, 50], letterbox: [25, 25] }[fit] as number[];
    expect(intrinsics).toEqual({ fx, fy, cx: 19.5, cy: 19.5 });
  });

  test('ground truth keeps its resolution and loses what is cut', async () => {
    const truth = depthFrame(16, 8, 0, (x) => x + 1);
    const out = await image(options, { ...ramp(32, 16), truth });
    expect(out.truth).toMatchObject({ width: 8, height: 8 });
    expect([...(out.truth?.data.subarray(0, 8) ?? [])]).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('under a letterbox’s bars the truth is invalid', async () => {
    const truth = depthFrame(16, 8, 0, () => 3);
    const out = await image({ ...options, fit: 'letterbox' }, { ...ramp(32, 16), truth });
    expect(out.truth).toMatchObject({ width: 16, height: 16 });
    expect([...(out.truth?.data ?? [])].filter((metres) => metres === 0)).toHaveLength(128);
    expect(out.truth?.data[16 * 8]).toBe(3);
    expect(out.truth?.data[0]).toBe(0);
  });

  test('depth is never mixed between two surfaces', async () => {
    const frame = depthFrame(30, 30, 0, (x, y) => ((x * 7 + y * 3) % 5 < 2 ? 1 : 4));
    const [out] = (await runOperator(resize, options, [frame])) as DepthFrame[];
    expect(out).toMatchObject({ width: 8, height: 8 });
    expect(new Set(out?.data)).toEqual(new Set([1, 4]));
  });

  test('the picture of a depth frame shows the same part', async () => {
    const frame = { ...depthFrame(30, 20), image: ramp(60, 40) };
    const [out] = (await runOperator(resize, options, [frame])) as DepthFrame[];
    expect(out?.image).toMatchObject({ width: 40, height: 40 });
    expect(pixel(out?.image as ImageFrame, 0, 0)[0]).toBe(10);
  });

  test('an engine of GStreamer’s is refused, with what to do', async () => {
    const parsed = resize.options.parse({ ...options, on: 'cuda' });
    await expect(resize.create(parsed, testContext())).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('use "on: auto"'),
    });
  });
});

describe('resize in a launch line', () => {
  test('without a view the target’s shape is kept', () => {
    expect(resize.fuse?.(resize.options.parse(options))).toEqual({
      do: 'resize',
      width: 8,
      height: 8,
      fit: 'crop',
      on: 'auto',
    });
  });

  test('passes view on as a number', () => {
    const parsed = resize.options.parse({ ...options, view: '4:3', on: 'gl' });
    expect(resize.fuse?.(parsed)).toMatchObject({ view: 4 / 3, on: 'gl' });
  });
});

test.each(['4/3', '4:0', -1])('%s is no view', (view) => {
  const { error } = resize.options.safeParse({ ...options, view });
  expect(error?.issues[0]?.message).toContain('such as "4:3"');
});
