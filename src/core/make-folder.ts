import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, unless they exist. Like `recursive` of `mkdir`, which never
 * returns where the file system answers ENOENT to every new name, as that of /proc does.
 *
 * @throws Error with the system's `code`; `ENOTSUP` if the file system takes no folders
 */
export async function makeFolder(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) return;
  const parent = dirname(path);
  if (!stats && parent !== path) await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw explained(error, parent);
  }
}

/** `makeFolder` for code that is not asynchronous. */
export function makeFolderSync(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (!existsSync(path) && parent !== path) makeFolderSync(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isFolder(path)) throw explained(error, parent);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The folder above is there: then it is not what is missing. */
function explained(error: unknown, parent: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !isFolder(parent)) return error;
  const message = `the file system of ${parent} takes no new folders`;
  return Object.assign(new Error(message, { cause: error }), { code: 'ENOTSUP' });
}
