import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutFolders } from './frame-files.ts';

/** Six digits or more, as `padStart(6)` makes them, and the endings of a file or of its `.part`. */
const numbered = /^(\d{6}|[1-9]\d{6,14})\.(png|jpg|npy|json|ply)(\..*)?$/i;

/** The number in a frame's file name, or -1 if the name is not of this form. */
export function numberOf(name: string, prefix: string): number {
  if (!name.startsWith(prefix)) return -1;
  const [, digits] = numbered.exec(name.slice(prefix.length)) ?? [];
  return digits === undefined ? -1 : Number(digits);
}

/** Highest number among the names in a directory and in the folders of its layouts, or -1. */
export async function lastNumberIn(directory: string, prefix: string): Promise<number> {
  let last = -1;
  for (const folder of ['.', ...Object.values(layoutFolders).flat()]) {
    for (const name of await namesIn(join(directory, folder))) {
      last = Math.max(last, numberOf(name, prefix));
    }
  }
  return last;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
