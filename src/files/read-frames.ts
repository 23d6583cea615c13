import { relative } from 'node:path';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthMap } from '../core/frame.ts';
import { type DecodedPicture, decodeRgb } from '../imaging/decode.ts';
import { readDepthFile } from '../imaging/depth-file.ts';
import { findDepth, findPictures } from '../imaging/picture-files.ts';
import type { IndexRow } from './index-rows.ts';
import { recordedRows } from './recorded-rows.ts';

/** The files of a frame, absolute paths. */
export interface FrameFile {
  /** Path from the folder that was searched. */
  readonly name: string;
  readonly picture?: string | undefined;
  readonly depth?: string | undefined;
  /** Its line in the index, if there is one. */
  readonly row?: IndexRow;
}

export interface FoundFrames {
  readonly files: readonly FrameFile[];
  /** Files that are not used. */
  readonly ignored: readonly string[];
}

export interface FindOptions {
  readonly path: string;
  /** Depth of the pictures. */
  readonly depth?: string | undefined;
  readonly as: 'image' | 'depth';
  readonly times: 'fps' | 'index';
}

/**
 * Finds the files of frames: in natural order, or those of `index.csv` in its order.
 *
 * @throws DepthlineError `SOURCE` if there are none
 */
export async function findFrames(
  { path, depth, as, times }: FindOptions,
  baseDirectory: string,
): Promise<FoundFrames> {
  const found =
    as === 'depth'
      ? await findDepth(path, baseDirectory)
      : await findPictures(path, depth, baseDirectory);
  const { pictures, depths, names, base } = found;
  // The list of frames belongs to them.
  const ignored = found.ignored.filter((file) => !file.endsWith('index.csv'));
  const files = names.map(
    (name, i): FrameFile => ({
      name,
      picture: pictures?.[i],
      depth: depths?.[i],
    }),
  );
  const rows = await recordedRows(base, times === 'index');
  const main = (file: FrameFile) => (as === 'depth' ? file.depth : file.picture) as string;
  const known = files.map((file): FrameFile => {
    const row = rows.get(main(file));
    return row ? { ...file, row } : file;
  });
  if (times === 'fps') return { files: known, ignored };
  const order = new Map([...new Set(rows.values())].map((row, i) => [row, i]));
  const place = ({ row }: FrameFile) => (row && order.get(row)) ?? -1;
  const listed = known.filter(({ row }) => row !== undefined);
  if (listed.length === 0) {
    throw new DepthlineError(
      'SOURCE',
      `index.csv in ${base} lists none of the ${files.length} files found there; set "times: fps"`,
    );
  }
  const others = files.map(main).filter((file) => !rows.has(file));
  return {
    files: listed.toSorted((a, b) => place(a) - place(b)),
    ignored: [...ignored, ...others],
  };
}

/** What was read of a frame. */
export interface ReadFrame {
  readonly picture?: DecodedPicture | undefined;
  readonly depth?: DepthMap | undefined;
}

/** A frame that was read, or the reason why it was not. */
export type Outcome = ReadFrame | { readonly problem: DepthlineError };

/** Reads the files of a frame. Never rejects. */
export async function readFrame(
  { picture, depth }: FrameFile,
  baseDirectory: string,
): Promise<Outcome> {
  try {
    const [pixels, metres] = await Promise.all([
      picture === undefined ? undefined : decodeRgb(picture).catch(unreadable(picture)),
      depth === undefined ? undefined : readDepthFile(depth).catch(unreadable(depth)),
    ]);
    return { picture: pixels, depth: metres };
  } catch (error) {
    return { problem: error as DepthlineError };
  }

  function unreadable(path: string): (error: unknown) => never {
    return (error) => {
      const message = `cannot read "${relative(baseDirectory, path)}": ${reason(error)}`;
      throw new DepthlineError('SOURCE', message, { cause: error });
    };
  }
}
