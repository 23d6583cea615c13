import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { DepthlineError } from '../core/errors.ts';
import { expandHome } from '../core/resolve-path.ts';

const natural = new Intl.Collator('en', { numeric: true });
const pictureEndings = ['jpg', 'jpeg', 'png', 'webp', 'tif', 'tiff'];

/** Absolute paths of pictures, in natural order, and of their depth, if there is any. */
export interface PictureFiles {
  readonly pictures: readonly string[];
  /** As long as `pictures`; `undefined` where a picture has none. */
  readonly depths?: readonly (string | undefined)[];
}

/**
 * Finds pictures and the depth pictures that belong to them. A folder with `rgb/` and `depth/`
 * is an RGB-D set.
 *
 * @param path folder or glob
 * @param depth folder or glob of 16-bit PNG
 * @throws DepthlineError `SOURCE` if there are none
 */
export async function findPictures(
  path: string,
  depth: string | undefined,
  baseDirectory: string,
): Promise<PictureFiles> {
  const depthAt = depth === undefined ? undefined : expandHome(depth);
  return findIn(expandHome(path), depthAt, baseDirectory);
}

async function findIn(
  path: string,
  depth: string | undefined,
  baseDirectory: string,
): Promise<PictureFiles> {
  const root = resolve(baseDirectory, path);
  const isSet = (await isFolder(resolve(root, 'rgb'))) && (await isFolder(resolve(root, 'depth')));
  const pictures = await list(isSet ? resolve(root, 'rgb') : path, baseDirectory, pictureEndings);
  if (pictures.length === 0) throw noneFound('picture', path, root, pictureEndings);
  const depthPath = depth ?? (isSet ? resolve(root, 'depth') : undefined);
  if (depthPath === undefined) return { pictures };
  const depths = await list(depthPath, baseDirectory, ['png']);
  if (depths.length === 0)
    throw noneFound('depth picture', depthPath, resolve(baseDirectory, depthPath), ['png']);
  return { pictures, depths: pair(pictures, depths, depthPath) };
}

const stem = (path: string) => basename(path, extname(path));

/** By the same stem; where no stem fits (colour_1.jpg, depth_1.png), by order. */
function pair(
  pictures: readonly string[],
  depths: readonly string[],
  depthPath: string,
): (string | undefined)[] {
  const byStem = new Map(depths.map((path) => [stem(path), path]));
  const paired = pictures.map((path) => byStem.get(stem(path)));
  if (paired.some((path) => path !== undefined)) return paired;
  if (depths.length === pictures.length) return [...depths];
  throw new DepthlineError(
    'SOURCE',
    `"${depthPath}" has ${depths.length} depth pictures for ${pictures.length} pictures and no name in common: give each pair the same name, or the same number of files in the same order`,
  );
}

async function list(
  path: string,
  baseDirectory: string,
  endings: readonly string[],
): Promise<string[]> {
  const root = resolve(baseDirectory, path);
  const options = { absolute: true, onlyFiles: true, caseSensitiveMatch: false };
  const info = await stat(root).catch(() => undefined);
  if (info?.isFile()) return [root];
  const found = info
    ? await glob('*', { ...options, cwd: root })
    : await glob(path, { ...options, cwd: baseDirectory });
  const known = found.filter((file) => endings.includes(extname(file).slice(1).toLowerCase()));
  return known.sort((a, b) => natural.compare(a, b));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function noneFound(what: string, path: string, root: string, endings: readonly string[]) {
  return new DepthlineError(
    'SOURCE',
    `no ${what} found at "${path}": looked at ${root} for files that end in ${endings.join(', ')}`,
  );
}
