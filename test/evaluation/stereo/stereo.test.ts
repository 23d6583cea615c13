import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  disparityErrors,
  fillFromBackground,
} from '../../../src/evaluation/stereo/disparity-errors.ts';
import {
  classicalMethods,
  evaluateStereo,
  isCropped,
  networkMethod,
  type StereoMethod,
} from '../../../src/evaluation/stereo/evaluate-stereo.ts';
import { parsePfm } from '../../../src/evaluation/stereo/pfm.ts';
import { SemiGlobalMatching } from '../../../src/evaluation/stereo/sgm.ts';
import { findStereoPairs, readStereoPair } from '../../../src/evaluation/stereo/stereo-folder.ts';
import { calibrationText } from '../../../src/files/calibration-text.ts';
import { encodeDisparityPng, encodePng } from '../../../src/imaging/encode.ts';
import { StereoEstimator } from '../../../src/inference/stereo/stereo-estimator.ts';
import { stereoFrame } from '../../../src/testing/sample-frames.ts';
import { putModel } from '../../support/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'eval-stereo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [width, height] = [32, 24];

/** A folder of pairs as the file sink writes it, all of them at a disparity of 2 pixels. */
async function ownFolder(): Promise<string> {
  const path = join(folder, 'own');
  const pair = stereoFrame(width, height);
  const intrinsics = { fx: 14, fy: 14, cx: 15.5, cy: 11.5 };
  for (const name of ['left', 'right', 'disparity', 'calib'])
    mkdirSync(join(path, name), { recursive: true });
  for (const stem of ['000000', '000001']) {
    const data = new Float32Array(width * height).fill(2);
    const text = calibrationText({ intrinsics, baseline: 0.1, offset: 0, width, height });
    writeFileSync(join(path, 'left', `${stem}.png`), await encodePng(pair.left));
    writeFileSync(join(path, 'right', `${stem}.png`), await encodePng(pair.right));
    writeFileSync(join(path, 'calib', `${stem}.txt`), text);
    const truth = await encodeDisparityPng({ width, height, data });
    writeFileSync(join(path, 'disparity', `${stem}.png`), truth);
  }
  return path;
}

function pfm(values: readonly number[], columns: number): Buffer {
  const head = Buffer.from(`Pf\n${columns} ${values.length / columns}\n-1.0\n`);
  return Buffer.concat([head, Buffer.from(Float32Array.from(values).buffer)]);
}

describe('errors of disparity', () => {
  test('count what has no disparity as bad', () => {
    const truth = Float32Array.of(10, 10, 10, 10, 0);
    const found = Float32Array.of(10.5, 12.5, 20, 0, 7);
    const part = { left: 0, top: 0, width: 5, height: 1 };
    const errors = disparityErrors(found, truth, { width: 5, height: 1 }, part);
    expect(errors).toMatchObject({ pixels: 4, filled: 0.75, bad1: 0.75, bad2: 0.75, bad3: 0.5 });
    expect(errors?.endPoint).toBeCloseTo((0.5 + 2.5 + 10) / 3, 6);
  });

  test('are those of the part alone; without truth there are none', () => {
    const truth = Float32Array.of(5, 5, 0, 0);
    const size = { width: 2, height: 2 };
    const part = { left: 1, top: 0, width: 1, height: 1 };
    expect(disparityErrors(Float32Array.of(9, 5, 9, 9), truth, size, part)).toMatchObject({
      pixels: 1,
      bad1: 0,
    });
    expect(disparityErrors(truth, truth, size, { ...part, top: 1 })).toBeUndefined();
  });

  test('holes are filled from the background beside them', () => {
    const rows = Float32Array.of(0, 4, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0);
    expect([...fillFromBackground(rows, { width: 6, height: 2 })]).toEqual([
      4, 4, 4, 4, 9, 9, 0, 0, 0, 0, 0, 0,
    ]);
  });
});

test('a PFM picture is read from its last row up; what is infinite has no disparity', () => {
  const { data, ...size } = parsePfm(pfm([1, 2, Infinity, 4], 2));
  expect(size).toEqual({ width: 2, height: 2 });
  expect([...data]).toEqual([0, 4, 1, 2]);
  expect(() => parsePfm(Buffer.from('PF\n2 2\n-1\n'))).toThrow('no grey PFM');
  expect(() => parsePfm(pfm([1, 2, 3, 4], 2).subarray(0, 20))).toThrow('cut off');
});

describe('folders', () => {
  test('of scenes as Middlebury has them', async () => {
    const { left, right } = stereoFrame(4, 2);
    const [modern, old] = [join(folder, 'scenes', 'b'), join(folder, 'scenes', 'a')];
    for (const path of [modern, old]) mkdirSync(path, { recursive: true });
    for (const [path, a, b] of [
      [modern, 'im0.png', 'im1.png'],
      [old, 'im2.png', 'im6.png'],
    ] as const) {
      writeFileSync(join(path, a), await encodePng(left));
      writeFileSync(join(path, b), await encodePng(right));
    }
    writeFileSync(join(modern, 'disp0.pfm'), pfm([1, 2, 3, 4, 5, 6, 7, 8], 4));
    writeFileSync(
      join(modern, 'calib.txt'),
      'cam0=[90 0 2; 0 90 1; 0 0 1]\ndoffs=3\nbaseline=100\nwidth=4\nheight=2\n',
    );
    // 8 bits, four steps a pixel.
    const grey = new Uint8Array(24).fill(40);
    const picture = { width: 4, height: 2, format: 'rgb', data: grey } as const;
    writeFileSync(join(old, 'disp2.png'), await encodePng(picture));
    const pairs = await findStereoPairs('scenes', folder);
    expect(pairs.map(({ name }) => name)).toEqual(['a', 'b']);
    const [first, second] = await Promise.all(
      pairs.map((pair, i) => readStereoPair(pair, i, 0.25)),
    );
    expect(first?.frame.baseline).toBeUndefined();
    expect([...first!.truth.data]).toEqual(new Array(8).fill(10));
    expect(second?.frame).toMatchObject({ baseline: 0.1, offset: 3, intrinsics: { fx: 90 } });
    expect([...second!.truth.data]).toEqual([5, 6, 7, 8, 1, 2, 3, 4]);
    expect(await findStereoPairs(join('scenes', 'a'), folder)).toHaveLength(1);
    await expect(findStereoPairs('.', folder)).rejects.toThrow('has no pairs with disparity');
  });

  test('as the file sink writes them', async () => {
    const pairs = await findStereoPairs(await ownFolder(), folder);
    expect(pairs.map(({ name }) => name)).toEqual(['000000', '000001']);
    const { frame, truth } = await readStereoPair(pairs[0]!, 0, 0.25);
    expect(frame).toMatchObject({ width, height, baseline: 0.1, rectified: true });
    expect(truth.data.every((value) => value === 2)).toBe(true);
  });
});

describe('an evaluation', () => {
  test('compares methods on the same pairs, a network among them', async () => {
    const pairs = await findStereoPairs(await ownFolder(), folder);
    const open = (squeeze: boolean) =>
      StereoEstimator.open({ model: putModel(folder, 'pairs'), check: 'none', squeeze });
    const [cropping, squeezing] = [await open(false), await open(true)];
    const blind: StereoMethod = { name: 'blind', estimate: async () => undefined };
    const metric: StereoMethod = {
      name: 'metric',
      estimate: async () => ({ depth: new Float32Array(width * height).fill(0.7), ms: 3 }),
    };
    const methods = [networkMethod('network', cropping, squeezing), blind, metric];
    const result = await evaluateStereo('own', pairs, methods, { step: 0.25, aspect: 4 / 3 });
    await Promise.all([cropping.close(), squeezing.close()]);
    const [network, none, perfect] = result.methods;
    expect(result.pairs).toBe(2);
    expect(network).toMatchObject({ method: 'network', pairs: 2 });
    expect(network?.bad1).toBeLessThan(0.2);
    expect(network?.delta1).toBeGreaterThan(0.9);
    expect(none).toMatchObject({ method: 'blind', pairs: 0 });
    expect(perfect).toMatchObject({ pairs: 2, filled: 1, bad1: 0, delta1: 1 });
    expect(perfect?.endPoint).toBeCloseTo(0, 5);
    expect(perfect?.latencyMs?.p50).toBeCloseTo(3, 1);
  });

  test('pictures of nearly the shape of the network are cropped, others squeezed', () => {
    expect(isCropped({ width: 320, height: 240 }, 320 / 224)).toBe(true);
    expect(isCropped({ width: 450, height: 375 }, 320 / 224)).toBe(false);
    expect(isCropped({ width: 640, height: 360 }, 320 / 224)).toBe(false);
  });
});

describe('semi-global matching', () => {
  const python = '/usr/bin/python3';
  const installed = spawnSync(python, ['-c', 'import cv2'], { timeout: 60_000 }).status === 0;

  test.skipIf(!installed)('of OpenCV finds the disparity, and fills its holes', async () => {
    const matching = new SemiGlobalMatching(python);
    const [plain, filled] = classicalMethods(matching, 0.2);
    const frame = stereoFrame(96, 64, 0, 5);
    const pair = { frame, truth: { width: 96, height: 64, data: new Float32Array(96 * 64) } };
    const found = await plain?.estimate(pair);
    const middle = 32 * 96 + 60;
    expect(found?.disparity?.[middle]).toBeCloseTo(5, 1);
    expect(found?.ms).toBeGreaterThan(0);
    const dense = await filled?.estimate(pair);
    expect(dense?.disparity?.filter((value) => value === 0)).toHaveLength(0);
    matching.close();
  });

  test('says what to install', async () => {
    const { left, right } = stereoFrame();
    for (const program of ['/nonexistent/python', '/bin/false']) {
      const matching = new SemiGlobalMatching(program);
      await expect(matching.match(left, right, 16)).rejects.toThrow('python3-opencv');
    }
  });
});
