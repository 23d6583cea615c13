import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { DepthlineError, reason } from '../../core/errors.ts';
import type { DepthMap, StereoFrame } from '../../core/frame.ts';
import { openRegularFile, readRegularFile } from '../../core/regular-file.ts';
import { resolvePath } from '../../core/resolve-path.ts';
import { disparitySteps } from '../../depth/disparity.ts';
import { parseCalibration } from '../../files/calibration-text.ts';
import { decodeDepthPng, decodeGrey, decodeRgb, pixelFormat } from '../../imaging/decode.ts';
import { naturalOrder } from '../../imaging/natural-order.ts';
import { parsePfm } from './pfm.ts';

/** Files of a pair with its true disparity. */
export interface StereoPair {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  readonly disparity: string;
  /** Missing: the pair has disparity, but no metres. */
  readonly calibration: string | undefined;
}

/** A pair, and the true disparity of its left picture; 0 where it is unknown. */
export interface TruePair {
  readonly frame: StereoFrame;
  readonly truth: DepthMap;
}

/** Names of a scene's files in the Middlebury data sets of 2014 and 2003. */
const middlebury = [
  { left: 'im0.png', right: 'im1.png', disparity: ['disp0.pfm', 'disp0GT.pfm'] },
  { left: 'im2.png', right: 'im6.png', disparity: ['disp2.png'] },
] as const;

/**
 * Pairs of a folder: `left/`, `right/`, `disparity/` and `calib/` as the file sink writes them; a scene of
 * the Middlebury data sets (2014: `im0.png`, `im1.png`, `disp0.pfm`, `calib.txt`; 2003: `im2.png`, `im6.png`,
 * `disp2.png`), or a folder of such scenes.
 *
 * @throws DepthlineError `SOURCE` if there are none
 */
export async function findStereoPairs(
  folder: string,
  baseDirectory: string,
): Promise<StereoPair[]> {
  const path = resolvePath(baseDirectory, folder);
  const names = await readdir(path).catch((cause: unknown) => {
    throw new DepthlineError('SOURCE', whyNoFolder(path, cause), { cause });
  });
  const pairs = names.includes('left')
    ? await pairsIn(path)
    : [
        ...sceneIn(path, basename(path)),
        ...names.toSorted(naturalOrder).flatMap((name) => sceneIn(join(path, name), name)),
      ];
  if (pairs.length > 0) return pairs;
  throw new DepthlineError(
    'SOURCE',
    `"${folder}" has no pairs with disparity; a folder of pairs has left/, right/ and disparity/, a scene of Middlebury im0.png, im1.png and disp0.pfm`,
  );
}

function whyNoFolder(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no folder ${path}; check the path`;
  if (code === 'ENOTDIR') return `${path} is not a folder; give the path of a folder of pairs`;
  return `cannot read ${path}: ${reason(error)}`;
}

async function pairsIn(path: string): Promise<StereoPair[]> {
  const pictures = (await readdir(join(path, 'left'))).toSorted(naturalOrder);
  return pictures.flatMap((file) => {
    const name = file.replace(/\.\w+$/, '');
    const calibration = join(path, 'calib', `${name}.txt`);
    const pair = {
      name,
      left: join(path, 'left', file),
      right: join(path, 'right', file),
      disparity: join(path, 'disparity', `${name}.png`),
      calibration: existsSync(calibration) ? calibration : undefined,
    };
    return existsSync(pair.right) && existsSync(pair.disparity) ? [pair] : [];
  });
}

function sceneIn(path: string, name: string): StereoPair[] {
  for (const { left, right, disparity } of middlebury) {
    const truth = disparity.map((file) => join(path, file)).find((file) => existsSync(file));
    if (!truth || !existsSync(join(path, left)) || !existsSync(join(path, right))) continue;
    const calibration = join(path, 'calib.txt');
    return [
      {
        name,
        left: join(path, left),
        right: join(path, right),
        disparity: truth,
        calibration: existsSync(calibration) ? calibration : undefined,
      },
    ];
  }
  return [];
}

/**
 * Reads a pair.
 *
 * @param step pixels per step of 8-bit disparity; 16-bit disparity has 256 steps a pixel
 * @throws DepthlineError `SOURCE` if a file cannot be read
 */
export async function readStereoPair(
  pair: StereoPair,
  seq: number,
  step: number,
): Promise<TruePair> {
  const reading = <T>(path: string, read: (path: string) => Promise<T>): Promise<T> =>
    read(path).catch((error: unknown) => {
      const message = `cannot read ${path}: ${reason(error)}`;
      throw new DepthlineError('SOURCE', message, { cause: error });
    });
  const [left, right, truth, calibration] = await Promise.all([
    reading(pair.left, decodeRgb),
    reading(pair.right, decodeRgb),
    reading(pair.disparity, (path) => readDisparity(path, step)),
    pair.calibration === undefined
      ? undefined
      : reading(pair.calibration, async (path) =>
          parseCalibration(await readRegularFile(path, 2 ** 16)),
        ),
  ]);
  const { width, height } = left;
  const { intrinsics, baseline, offset } = calibration ?? {};
  const frame: StereoFrame = {
    ...{ kind: 'stereo', seq, pts: 0n, capturedAt: systemClock.wall(), source: 'stereo-folder' },
    ...{ width, height, rectified: true, name: pair.name },
    left: { width, height, format: 'rgb', data: left.data },
    right: { width: right.width, height: right.height, format: 'rgb', data: right.data },
    ...(intrinsics && { intrinsics }),
    ...(baseline !== undefined && { baseline }),
    ...(offset !== undefined && { offset }),
  };
  return { frame, truth };
}

async function readDisparity(path: string, step: number): Promise<DepthMap> {
  if (path.endsWith('.pfm')) {
    const file = await openRegularFile(path);
    return parsePfm(await file.readFile().finally(() => file.close()));
  }
  const { depth } = await pixelFormat(path);
  if (depth === 'ushort') return decodeDepthPng(path, 1 / disparitySteps);
  const { width, height, data } = await decodeGrey(path);
  return { width, height, data: Float32Array.from(data, (value) => value * step) };
}
