import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identity, tap } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Use } from '../../src/core/component.ts';
import type { DepthFrame, Frame, ImageFrame, Intrinsics, View } from '../../src/core/frame.ts';
import { scaleNearest } from '../../src/depth/geometry.ts';
import { wholeView } from '../../src/depth/view.ts';
import { edgeErrors } from '../../src/evaluation/edge-errors.ts';
import { fitImage } from '../../src/imaging/fit.ts';
import {
  definePipeline,
  discard,
  estimateDepth,
  pointCloud,
  register,
  resize,
  runPipeline,
  smooth,
  testPattern,
} from '../../src/index.ts';
import { Film } from '../../src/synthetic/film.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { frameBase } from '../../src/testing/sample-frames.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { putModel } from '../support/models.ts';

const camera = { width: 160, height: 90 };
const k: Intrinsics = { fx: 100, fy: 101, cx: 80, cy: 44 };
const picture: ImageFrame = { ...imageFrame(160, 90), intrinsics: k, view: wholeView(camera) };

/** What a network of 28×28 pixels makes of the picture's 4:3 part. */
async function estimated(over: Partial<DepthFrame> = {}): Promise<DepthFrame> {
  const image = await fitImage(picture, { width: 28, height: 28 }, 'stretch', 4 / 3);
  const { view, intrinsics } = image as Required<ImageFrame>;
  return { ...depthFrame(28, 28), view, intrinsics, image, picture, ...over };
}

async function registered(options: object, frame: DepthFrame): Promise<DepthFrame> {
  return (await runOperator(register, options, [frame]))[0] as DepthFrame;
}

test('gives the picture’s pixels: its size, view, intrinsics and truth', async () => {
  const truth = depthFrame(160, 90, 0, () => 3);
  const model = { name: 'm', sha256: 'ab' };
  const frame = await estimated({ picture: { ...picture, truth }, model, range: [0.1, 10] });
  const out = await registered({}, frame);
  expect(out).toMatchObject({ ...camera, intrinsics: k, view: wholeView(camera), model });
  expect(out.truth).toBe(truth);
  expect(out.image?.data).toBe(picture.data);
  expect(out.range).toEqual([0.1, 10]);
  // 160 − 120 columns are outside the 4:3 view.
  expect([...out.data.subarray(0, 160)].filter((metres) => metres === 0)).toHaveLength(40);
  expect(out.timings?.test).toBeGreaterThan(0);
});

test('at another width the shape of the picture is kept', async () => {
  const out = await registered({ width: 80 }, await estimated());
  expect(out).toMatchObject({ width: 80, height: 45, view: wholeView(camera) });
  expect(out.image).toMatchObject({ width: 80, height: 45 });
  expect(out.intrinsics?.fx).toBeCloseTo(50);
});

test('bilinear needs no picture: the view tells the size and the camera', async () => {
  const { picture: _, ...bare } = await estimated();
  const out = await registered({ method: 'bilinear' }, bare);
  expect(out).toMatchObject({ ...camera, view: wholeView(camera) });
  for (const key of ['fx', 'fy', 'cx', 'cy'] as const) {
    expect(out.intrinsics?.[key]).toBeCloseTo(k[key]);
  }
  expect(out.image).toBeUndefined();
  expect(out.data[45 * 160 + 80]).toBe(2);
});

test('bilinear keeps the ground truth of what was seen, on the pixels of the picture', async () => {
  const { picture: _, truth: __, ...bare } = await estimated();
  const truth = depthFrame(8, 6, 0, (x, y) => 1 + x + 10 * y);
  const out = await registered({ method: 'bilinear' }, { ...bare, truth });
  const at = (x: number, y: number) => out.truth?.data[y * camera.width + x];
  const { left, top, width, height } = bare.view as View;
  const place = (column: number, row: number) =>
    at(
      Math.floor(left + ((column + 0.5) * width) / 8),
      Math.floor(top + ((row + 0.5) * height) / 6),
    );
  expect(out.truth).toMatchObject(camera);
  expect([place(0, 0), place(3, 2), place(7, 5)]).toEqual([1, 24, 58]);
  expect(at(Math.floor(left) - 1, 45)).toBe(0);
});

test('frames without a picture end the run, with what to do', async () => {
  const { picture: _, ...bare } = await estimated();
  await expect(registered({}, bare)).rejects.toMatchObject({
    code: 'OPERATOR',
    message: expect.stringMatching(/needs the picture of each frame: set "image: source"/),
  });
});

describe('a pipeline without the picture is refused before it runs', () => {
  const sinks = [discard()];
  const source = testPattern();

  test.each([
    ['with the network’s picture alone', [estimateDepth(), register()]],
    ['behind an operator in between', [estimateDepth(), smooth(), register()]],
  ])('%s', (_, operators) => {
    expect(() => definePipeline({ source, operators, sinks })).toThrow(
      /register needs the picture of each frame: set "image: source" on the operator that estimates depth, or "method: bilinear" here/,
    );
  });

  test('in a branch', () => {
    const branch = { sink: discard(), operators: [register()] };
    expect(() => definePipeline({ source, operators: [estimateDepth()], sinks: [branch] })).toThrow(
      /sinks\[0\].operators\[0\]: register needs/,
    );
  });

  test.each([
    ['with it', [estimateDepth({ image: 'source' }), smooth(), register(), pointCloud()]],
    ['where none is needed', [estimateDepth(), register({ method: 'bilinear' })]],
    ['behind a function of one’s own', [estimateDepth(), identity, register()]],
  ])('but not %s', (_, operators) => {
    expect(() => definePipeline({ source, operators, sinks })).not.toThrow();
  });
});

describe('of a camera of 160×90 whose picture is cropped and scaled in the launch line', () => {
  const directory = mkdtempSync(join(tmpdir(), 'register-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const intrinsics = { fx: 100, fy: 100, cx: 79.5, cy: 44.5 };

  async function last(
    image: 'network' | 'source',
    then: Use<'operator'>,
    model = putModel(directory, 'metres', { input: { view: '4:3' } }),
  ): Promise<DepthFrame> {
    const frames: Frame[] = [];
    await runPipeline(
      definePipeline({
        source: testPattern({ ...camera, frames: 2, pattern: 'smpte', intrinsics }),
        operators: [estimateDepth({ model, image }), then, tap((frame) => frames.push(frame))],
        sinks: [discard()],
      }),
    );
    expect(frames).toHaveLength(2);
    return frames[1] as DepthFrame;
  }

  test.each([
    ['network', register({ method: 'bilinear' })],
    ['source', register()],
  ] as const)('image: %s, the intrinsics are the camera’s again', async (image, operator) => {
    const out = await last(image, operator);
    expect(out).toMatchObject({ ...camera, view: wholeView(camera) });
    for (const key of ['fx', 'fy', 'cx', 'cy'] as const) {
      expect(out.intrinsics?.[key]).toBeCloseTo(intrinsics[key], 6);
    }
    expect(out.picture === undefined).toBe(image === 'network');
  });

  test('a resize to the camera’s size does not distort', async () => {
    const out = await last('network', resize(camera), 'fastdepth');
    expect(out).toMatchObject(camera);
    // Of the 4:3 that the network saw, the 16:9 in the middle: 120 of 160 columns.
    expect(out.intrinsics).toMatchObject({
      fx: expect.closeTo(400 / 3),
      fy: expect.closeTo(400 / 3),
    });
  });
});

test('true depth that a network’s pixels hold, on a room of 1280×720: edges within a pixel', async () => {
  const size = { width: 1280, height: 720 };
  const film = new Film({
    seed: 11,
    ...size,
    aspect: 16 / 9,
    fps: 30,
    motion: 'views',
    fieldOfView: [65, 65],
    noise: 0.3,
  });
  const { rgb, depth, intrinsics } = film.shoot(0);
  const truth = { ...size, data: depth };
  const room: ImageFrame = {
    kind: 'image',
    ...frameBase(),
    ...size,
    format: 'rgb',
    data: rgb,
    intrinsics,
    view: wholeView(size),
    truth,
  };
  const small = { width: 224, height: 224 };
  const image = await fitImage(room, small, 'stretch', 4 / 3);
  const low = scaleNearest(image.truth as DepthFrame, small);
  const frame = { ...image, ...low, kind: 'depth', image, picture: room } as unknown as DepthFrame;
  const sharp = await registered({}, frame);
  const blurred = await registered({ method: 'bilinear' }, frame);
  expect(sharp.intrinsics).toEqual(intrinsics);
  const [bilateral, bilinear] = [edgeErrors(sharp, truth), edgeErrors(blurred, truth)];
  expect(bilateral?.edges).toBeGreaterThan(2000);
  expect(bilateral?.distance).toBeLessThan(1);
  expect(bilateral?.distance).toBeLessThan(bilinear?.distance as number);
  expect(bilateral?.rmse).toBeLessThan((bilinear?.rmse as number) * 0.8);
});
