import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare } from '../../src/evaluation/evaluate.ts';
import { squeezeNearest } from '../../src/evaluation/paper-view.ts';
import { readRgbd } from '../../src/evaluation/rgbd-folder.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { putModel } from '../support/models.ts';

/**
 * The same by Pillow, as `training/preprocessing.py` and the paper's code do it: the centred 4:3
 * view, 250 rows, 304 × 228 of the centre, 224 × 224.
 */
const golden = `
import sys, numpy
from PIL import Image
def paper(path):
    pixels = numpy.asarray(Image.open(path))
    if pixels.dtype == numpy.int32: pixels = pixels.astype(numpy.float32)
    height, width = pixels.shape[:2]
    wide, high = min(width, height * 4 / 3), min(height, width * 3 / 4)
    left, top = (width - wide) / 2, (height - high) / 2
    box = [round(edge) for edge in (left, top, left + wide, top + high)]
    pixels = pixels[box[1]:box[3], box[0]:box[2]]
    nearest = lambda pixels, size: numpy.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))
    small = nearest(pixels, (int(250 * 4 / 3), 250))
    left, top = round((333 - 304) / 2), round((250 - 228) / 2)
    return nearest(numpy.ascontiguousarray(small[top:top + 228, left:left + 304]), (224, 224))
sys.stdout.buffer.write(paper(sys.argv[1]).astype(sys.argv[2]).tobytes())
`;

const pillow = (path: string, type: string) =>
  execFileSync('/usr/bin/python3', ['-c', golden, path, type], { maxBuffer: 1e8, timeout: 60_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'paper-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Fine structure, in which any other filter, offset or order of steps shows. */
async function writePair(width: number, height: number) {
  const rgb = new Uint8Array(width * height * 3);
  const millimetres = new Uint16Array(width * height);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    rgb.set([(x * 37 + y * 11) & 255, (x ^ y) & 255, (y * 53) & 255], i * 3);
    millimetres[i] = 500 + ((x * 7 + y * 13) % 9000);
  }
  const picture = join(folder, `${width}.png`);
  const depth = join(folder, `${width}-depth.png`);
  await sharp(rgb, { raw: { width, height, channels: 3 } }).toFile(picture);
  const raw = { width, height, channels: 1 } as const;
  await sharp(millimetres, { raw }).toColourspace('grey16').png().toFile(depth);
  return { name: 'a', picture, depth };
}

test.each([
  [640, 480],
  [1280, 720],
  [480, 640],
])('%i×%i: --crop paper is the resampling of the paper’s code, to the bit', async (w, h) => {
  const pair = await writePair(w, h);
  const view = await readRgbd(pair, 0, { crop: 'paper' });
  expect([view.width, view.height]).toEqual([304, 228]);
  const seen = squeezeNearest(view, { width: 224, height: 224 });
  expect(Buffer.compare(seen.data, pillow(pair.picture, 'uint8'))).toBe(0);
  const truth = pillow(pair.depth, 'float32');
  const millimetres = new Float32Array(truth.buffer, truth.byteOffset, 224 * 224);
  expect(seen.truth?.data).toEqual(millimetres.map((value) => Math.fround(value / 1000)));
});

test('a model sees that view squeezed to its size, not a part of it', async () => {
  const pair = await writePair(640, 480);
  const view = await readRgbd(pair, 0, { crop: 'paper' });
  const estimator = await DepthEstimator.open({ model: putModel(folder, 'metres') });
  try {
    const { image, truth } = await compare(estimator, view, { crop: 'paper' });
    const wanted = squeezeNearest(view, { width: 8, height: 6 });
    expect(image.data).toEqual(wanted.data);
    expect(truth.data).toEqual(wanted.truth?.data);
  } finally {
    await estimator.close();
  }
});
