import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import { expandHome, resolvePath } from '../core/resolve-path.ts';
import { depthEndings, isDepthFile } from './depth-file.ts';
import { findFiles } from './find-files.ts';
import { naturalOrder } from './natural-order.ts';
import { isPicture, readableEndings } from './picture-formats.ts';

/** Absolute paths of pictures, in natural order, and of their depth, if there is any. */
export interface PictureFiles {
  /** The folder that was searched, or that of the RGB-D set. */
  readonly base: string;
  /** Pictures of any known format, also of those that cannot be read. */
  readonly pictures: readonly string[];
  /** Paths of the pictures from the folder that was searched: `kitchen.jpg`. */
  readonly names: readonly string[];
  /** As long as `pictures`; `undefined` where a picture has none. */
  readonly depths?: readonly (string | undefined)[];
  /** Files that were found and are not used: no pictures, or depth without a picture. */
  readonly ignored: readonly string[];
}

/** Absolute paths of recorded depth, in natural order, and of its pictures, if there are any. */
export interface DepthFiles {
  /** The folder that was searched, or that of the RGB-D set. */
  readonly base: string;
  readonly depths: readonly string[];
  /** Paths of the depth files from their folder. */
  readonly names: readonly string[];
  /** As long as `depths`; `undefined` where there is none. */
  readonly pictures?: readonly (string | undefined)[];
  /** Files that were found and are not used. */
  readonly ignored: readonly string[];
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
  const root = resolvePath(baseDirectory, path);
  const isSet = (await isFolder(join(root, 'rgb'))) && (await isFolder(join(root, 'depth')));
  const found = await list(isSet ? join(root, 'rgb') : path, baseDirectory, isPicture);
  const { chosen: pictures } = found;
  if (pictures.length === 0) throw noneFound('picture', path, root, readableEndings);
  const base = isSet ? root : found.base;
  const names = pictures.map((file) => relative(found.base, file));
  const depthPath = depth ?? (isSet ? join(root, 'depth') : undefined);
  if (depthPath === undefined) return { base, pictures, names, ignored: found.others };
  const depths = await list(depthPath, baseDirectory, isPng);
  if (depths.chosen.length === 0)
    throw noneFound('depth picture', depthPath, resolvePath(baseDirectory, depthPath), ['png']);
  const paired = pair(pictures, depths.chosen, depthPath);
  const used = new Set(paired);
  const unused = depths.chosen.filter((file) => !used.has(file));
  const ignored = [...found.others, ...depths.others, ...unused];
  return { base, pictures, names, depths: paired, ignored };
}

/**
 * Finds depth that was recorded, and the pictures that belong to it, if the folder is an RGB-D set.
 *
 * @param path folder, glob or file of 16-bit PNG or NumPy files
 * @throws DepthlineError `SOURCE` if there are none
 */
export async function findDepth(path: string, baseDirectory: string): Promise<DepthFiles> {
  const root = resolvePath(baseDirectory, path);
  const isSet = (await isFolder(join(root, 'rgb'))) && (await isFolder(join(root, 'depth')));
  const found = await list(isSet ? join(root, 'depth') : path, baseDirectory, isDepthFile);
  const { chosen: depths } = found;
  if (depths.length === 0) throw noneFound('depth', path, root, depthEndings);
  const base = isSet ? root : found.base;
  const names = depths.map((file) => relative(found.base, file));
  if (!isSet) return { base, depths, names, ignored: found.others };
  const pictures = await list(join(root, 'rgb'), baseDirectory, isPicture);
  const byStem = new Map(pictures.chosen.map((file) => [stem(file), file]));
  const paired = depths.map((file) => byStem.get(stem(file)));
  const used = new Set(paired);
  const unused = pictures.chosen.filter((file) => !used.has(file));
  return {
    base,
    depths,
    names,
    pictures: paired,
    ignored: [...found.others, ...pictures.others, ...unused],
  };
}

const isPng = (path: string) => extname(path).toLowerCase() === '.png';
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

interface Listed {
  /** The folder that was searched. */
  readonly base: string;
  readonly chosen: readonly string[];
  readonly others: readonly string[];
}

async function list(
  path: string,
  baseDirectory: string,
  choose: (file: string) => boolean,
): Promise<Listed> {
  const root = resolvePath(baseDirectory, path);
  const info = await stat(root).catch(() => undefined);
  if (info && !info.isDirectory()) return { base: dirname(root), chosen: [root], others: [] };
  const { cwd, pattern } = info
    ? { cwd: root, pattern: '*' }
    : await splitGlob(expandHome(path), baseDirectory);
  const found = (await findFiles(pattern, cwd)).sort(byName);
  const others = found.filter((file) => !choose(file));
  return { base: cwd, chosen: found.filter(choose), others };
}

function byName(a: string, b: string): number {
  return naturalOrder(dirname(a), dirname(b)) || naturalOrder(basename(a), basename(b));
}

/**
 * The folder that a glob begins in, and the rest of it. A folder that exists under its
 * literal name is not a pattern: `Room (1)/*.jpg`, `[2026] trip/*.jpg`.
 */
async function splitGlob(
  path: string,
  baseDirectory: string,
): Promise<{ cwd: string; pattern: string }> {
  const segments = path.split('/');
  let cwd = path.startsWith('/') ? '/' : baseDirectory;
  while (segments.length > 1 && (await isFolder(resolve(cwd, segments[0] || '.')))) {
    cwd = resolve(cwd, segments.shift() || '.');
  }
  return { cwd, pattern: segments.map(literalParentheses).join('/') };
}

/** Parentheses that neither follow a glob character nor hold alternatives are part of a name. */
function literalParentheses(segment: string): string {
  return segment.replace(/(?<![@!?+*\\])\(([^()|]*)\)/g, '\\($1\\)');
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
