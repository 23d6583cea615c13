import { type Stats, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import type { PathUse } from '../core/component-facts.ts';
import { expandHome } from '../core/resolve-path.ts';
import { readableEndings } from './picture-formats.ts';

/**
 * What `findPictures` reads for a folder, a glob or a file of pictures, for the check that no output
 * is an input.
 *
 * @param option the one that holds the path
 */
export function pictureUses(
  path: string,
  option: string,
  baseDirectory: string,
  endings: readonly string[] = readableEndings,
): PathUse[] {
  const given = resolve(baseDirectory, expandHome(path));
  const info = look(given);
  if (info?.isFile()) return [{ path: given, as: 'file', option }];
  const names = endingIn(endings);
  if (!info) return [{ ...globUse(given, endings), option }];
  const set = [join(given, 'rgb'), join(given, 'depth')];
  const folders = set.every((folder) => look(folder)?.isDirectory()) ? set : [given];
  return folders.map((folder) => ({ path: folder, as: 'folder', option, names }));
}

const wildcard = /[*?[\]{}()!+@]/;

/** The folders that a glob begins in, and what is known of the names. */
function globUse(glob: string, endings: readonly string[]): Omit<PathUse, 'option'> {
  const parts = glob.split('/');
  let first = 1;
  // As `findPictures` does: what exists under its very name is that folder.
  while (first < parts.length && look(parts.slice(0, first + 1).join('/'))?.isDirectory()) first++;
  const last = parts.at(-1) as string;
  const ending = extname(last).slice(1);
  const before = last.slice(0, wildcard.test(last) ? last.search(wildcard) : undefined);
  return {
    path: parts.slice(0, first).join('/') || '/',
    as: 'folder',
    ...(first < parts.length - 1 && { deep: true }),
    names: endingIn(ending === '' || wildcard.test(ending) ? endings : [ending], before),
  };
}

function endingIn(endings: readonly string[], before = ''): RegExp {
  const escaped = [before, ...endings].map((text) => text.replace(/[.\\^$|]/g, '\\$&'));
  return new RegExp(`^${escaped[0]}.*\\.(${escaped.slice(1).join('|')})$`, 'i');
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Opening it later says what is wrong.
    return undefined;
  }
}
