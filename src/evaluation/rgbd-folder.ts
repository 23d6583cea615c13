import { basename, dirname, extname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { systemClock } from '../core/clock.ts';
import { hint } from '../core/did-you-mean.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthMap, ImageFrame } from '../core/frame.ts';
import { readRegularFile } from '../core/regular-file.ts';
import type { Rectangle, Size } from '../core/size.ts';
import { cropFrame } from '../depth/frame-geometry.ts';
import { decodeDepthPng, decodeGrey, decodeRgb, pixelFormat } from '../imaging/decode.ts';
import { findPictures } from '../imaging/picture-files.ts';
import { paperView } from './paper-view.ts';

/** A picture and its depth picture. */
export interface RgbdPair {
  /** File name of the picture without its ending. */
  readonly name: string;
  readonly picture: string;
  readonly depth: string;
}

export interface RgbdOptions {
  /** Metres per step of 16-bit depth: 0.001 (default), 0.0002 for TUM. 8-bit depth is NYU's, 10 m / 255. */
  readonly depthUnit?: number;
  /** Pixels to crop on every side first; default 0. */
  readonly border?: number;
  /**
   * `paper` resamples as FastDepth's own evaluation does, see `paperView`; a model is given all of
   * that, squeezed to its size. `none` keeps all; a model is given the part that fits its own view.
   */
  readonly crop?: Crop;
}

export const crops = ['none', 'paper'] as const;
export type Crop = (typeof crops)[number];

const millimetres = 0.001;
const nyu8BitUnit = 10 / 255;

/**
 * Pairs of a folder with pictures in `rgb/` and PNG of the same names in `depth/`, in natural order.
 *
 * @param sequences only frames whose `sequence` in `manifest.csv` is one of these; default: all
 * @param warn told about pictures that are left out
 * @throws DepthlineError `SOURCE` if there are none
 */
export async function findRgbdPairs(
  folder: string,
  baseDirectory: string,
  sequences: readonly string[] = [],
  warn: (message: string) => void = () => {},
): Promise<RgbdPair[]> {
  const { pictures, depths } = await findPictures(folder, undefined, baseDirectory);
  const pairs = pictures.flatMap((picture, i) => {
    const depth = depths?.[i];
    return depth === undefined ? [] : [{ name: stem(picture), picture, depth }];
  });
  if (pairs.length === 0) {
    const message = `"${folder}" has no pictures with depth; an RGB-D folder has rgb/0001.jpg and depth/0001.png`;
    throw new DepthlineError('SOURCE', message);
  }
  const bare = pictures.length - pairs.length;
  if (bare > 0) warn(`${folder}: ${bare} of ${pictures.length} pictures have no depth picture`);
  return sequences.length === 0 ? pairs : ofSequences(pairs, sequences);
}

async function ofSequences(
  pairs: readonly RgbdPair[],
  sequences: readonly string[],
): Promise<RgbdPair[]> {
  const manifest = join(dirname(dirname(pairs[0]?.picture ?? '')), 'manifest.csv');
  const known = await readSequences(manifest);
  for (const sequence of sequences) {
    if (known.some((row) => row.sequence === sequence)) continue;
    const names = [...new Set(known.map((row) => row.sequence))];
    const message = `${manifest} has no sequence "${sequence}"${hint(sequence, names)}`;
    throw new DepthlineError('SOURCE', message);
  }
  const wanted = new Set(
    known.filter((row) => sequences.includes(row.sequence)).map((row) => stem(row.file)),
  );
  return pairs.filter((pair) => wanted.has(pair.name));
}

/** Largest manifest.csv that is read, bytes. */
const maxManifestBytes = 256 * 2 ** 20;

async function readSequences(manifest: string): Promise<{ file: string; sequence: string }[]> {
  try {
    const rows: Record<string, string>[] = parse(
      await readRegularFile(manifest, maxManifestBytes),
      {
        columns: true,
      },
    );
    return rows.map(({ file = '', sequence = '' }) => ({ file, sequence }));
  } catch (error) {
    const message = `${manifest}, which names the sequences, cannot be read: ${reason(error)}`;
    throw new DepthlineError('SOURCE', message, { cause: error });
  }
}

/**
 * A picture with its true depth, which may have another resolution.
 *
 * @throws DepthlineError `SOURCE` if a file cannot be read
 */
export async function readRgbd(
  pair: RgbdPair,
  seq: number,
  { depthUnit = millimetres, border = 0, crop = 'none' }: RgbdOptions = {},
): Promise<ImageFrame> {
  const [picture, truth] = await Promise.all([
    decodeRgb(pair.picture).catch(unreadable(pair.picture)),
    readDepth(pair.depth, depthUnit).catch(unreadable(pair.depth)),
  ]);
  const frame: ImageFrame = {
    kind: 'image',
    seq,
    pts: 0n,
    capturedAt: systemClock.wall(),
    source: 'rgbd-folder',
    format: 'rgb',
    ...picture,
    truth,
  };
  const inner = cropFrame(frame, withoutBorder(frame, border, pair.picture));
  return crop === 'none' ? inner : paperView(inner);
}

/** 16-bit depth in steps of `unit` metres, or 8-bit depth in NYU's steps; 0 is invalid. */
async function readDepth(path: string, unit: number): Promise<DepthMap> {
  const { depth, channels } = await pixelFormat(path);
  if (channels === 1 && depth === 'ushort') return decodeDepthPng(path, unit);
  if (channels !== 1 || depth !== 'uchar') {
    throw new Error(`it has ${channels} channels of ${depth}; depth is 16-bit or 8-bit grey PNG`);
  }
  const { width, height, data } = await decodeGrey(path);
  const metres = Float32Array.from(data, (step) => step * nyu8BitUnit);
  return { width, height, data: metres };
}

function withoutBorder({ width, height }: Size, border: number, path: string): Rectangle {
  const size = { width: width - 2 * border, height: height - 2 * border };
  if (size.width > 0 && size.height > 0) return { left: border, top: border, ...size };
  const message = `a border of ${border} pixels exceeds ${path}, which is ${width}×${height}`;
  throw new DepthlineError('CONFIG', message);
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    throw new DepthlineError('SOURCE', `cannot read ${path}: ${reason(error)}`, { cause: error });
  };
}

function stem(path: string): string {
  return basename(path, extname(path));
}
