import { expect, test } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { colorizeDepth, colormap, invalidColor } from '../../src/depth/colormap.ts';
import { errorColor } from '../../src/depth/error-colors.ts';
import { sideBySide } from '../../src/operators/side-by-side.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

const withImage = (seq: number): DepthFrame => ({
  ...depthFrame(8, 6, seq, (x) => 1 + x),
  image: imageFrame(8, 6, seq),
});

async function show(options: object, ...frames: DepthFrame[]): Promise<ImageFrame[]> {
  return (await runOperator(sideBySide, options, frames)) as ImageFrame[];
}

/** One panel of a picture with panels of `width`. */
function panel({ data, width: row, height }: ImageFrame, index: number, width: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = (y * row + index * width) * 3;
    out.set(data.subarray(from, from + width * 3), y * width * 3);
  }
  return out;
}

const range = { min: 1, max: 8 };
/** Panels only, pixel by pixel. */
const exact = { ...range, height: 6, legend: false };

test('the picture, and the depth in colours beside it', async () => {
  const frame = withImage(0);
  const [out] = await show(exact, frame);
  expect(out).toMatchObject({ kind: 'image', format: 'rgb', width: 16, height: 6 });
  expect(panel(out!, 0, 8)).toEqual(frame.image?.data);
  expect(panel(out!, 1, 8)).toEqual(colorizeDepth(frame, { colormap: 'magma', ...range }));
});

test('unrelated pictures have their own size and panels', async () => {
  const frames = [withImage(0), depthFrame(4, 12, 1), withImage(2)];
  const sizes = async (options: object) =>
    (await show({ legend: false, height: 12, ...options }, ...frames)).map(({ width }) => width);
  expect(await sizes({ steady: false })).toEqual([32, 4, 32]);
  expect(await sizes({})).toEqual([32, 32, 32]);
});

test('ground truth in the same colours, when the frame has it', async () => {
  const truth = depthFrame(8, 6, 0, (_, y) => 1 + y);
  const [out] = await show(exact, { ...withImage(0), truth });
  expect(out?.width).toBe(24);
  expect(panel(out!, 2, 8)).toEqual(colorizeDepth(truth, { colormap: 'magma', ...range }));
  expect(out).not.toHaveProperty('truth');
});

test('the relative error: first colour where right, last where far off, black where unknown', async () => {
  const truth = depthFrame(8, 6, 0, (x) => [1, 2, 0, 8][x] ?? 5);
  const [out] = await show(
    { ...exact, panels: ['error'], 'error-max': 0.5 },
    { ...withImage(0), truth },
  );
  const wanted = [errorColor(0), errorColor(0), [0, 0, 0], errorColor(1)];
  expect([...(out?.data.subarray(0, 12) ?? [])]).toEqual(wanted.flat());
});

test('aspect undoes a squeeze, and height scales', async () => {
  const [out] = await show({ height: 12, aspect: '4:3', legend: false }, withImage(0));
  expect(out).toMatchObject({ width: 32, height: 12 });
});

test('a panel has the aspect ratio of the view that was squeezed into the frame', async () => {
  const view = { left: 160, top: 0, width: 960, height: 720, source: { width: 1280, height: 720 } };
  const [out] = await show({ height: 30, legend: false }, { ...withImage(0), view });
  expect(out).toMatchObject({ width: 80, height: 30 });
});

test('panels are at least 360 pixels high, with a colour bar beside them', async () => {
  const [out] = await show(range, withImage(0));
  expect(out?.height).toBe(360);
  expect(out?.width).toBeGreaterThan(2 * 480 + 30);
  const bar = panel(out!, 0, out!.width).subarray(0, out!.width * 360 * 3);
  const table = colormap('magma');
  // The bar runs from far at the top to near at the bottom: both ends are somewhere in its column.
  const colors = new Set<string>();
  for (let y = 0; y < 360; y++) {
    const o = (y * out!.width + 960 + 10) * 3;
    colors.add(String([...bar.subarray(o, o + 3)]));
  }
  expect(colors).toContain(String([...table.subarray(0, 3)]));
  expect(colors).toContain(String([...table.subarray(765, 768)]));
});

test('invalid pixels neither spread nor mix when a panel is enlarged', async () => {
  const frame = depthFrame(8, 6, 0, (x) => (x < 4 ? 0 : 8));
  const [out] = await show({ ...range, panels: ['depth'], height: 20, legend: false }, frame);
  const colors = new Set<string>();
  for (let i = 0; i < (out?.data.length ?? 0); i += 3)
    colors.add(String([...(out as ImageFrame).data.subarray(i, i + 3)]));
  expect([...colors].toSorted()).toEqual(
    [String(invalidColor('magma')), String([...colormap('magma').subarray(0, 3)])].toSorted(),
  );
});

test('a picture of another size and format fits beside', async () => {
  const data = new Uint8Array(40 * 30 * 4).fill(255);
  const image: ImageFrame = { ...imageFrame(40, 30), format: 'rgba', data };
  const [out] = await show(exact, { ...withImage(0), image });
  expect(panel(out!, 0, 8).every((value) => value === 255)).toBe(true);
});

test('the size stays, and what a later frame lacks is black', async () => {
  const truth = depthFrame(8, 6);
  const out = await show(exact, { ...withImage(0), truth }, depthFrame(8, 6, 1));
  expect(out.map(({ width, height }) => [width, height])).toEqual([
    [24, 6],
    [24, 6],
  ]);
  expect(panel(out[1]!, 0, 8).every((value) => value === 0)).toBe(true);
  expect(panel(out[1]!, 2, 8).every((value) => value === 0)).toBe(true);
});
