import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Absolute path of a path option. `~` and `~/…` stand for the home directory, as in a shell, which
 * does not see pipeline files. Write `./~` for a folder of that name.
 */
export function resolvePath(baseDirectory: string, path: string): string {
  return resolve(baseDirectory, expandHome(path));
}

/** A path or glob with `~` replaced; everything else is as it was. */
export function expandHome(path: string): string {
  if (path === '~') return homedir();
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
