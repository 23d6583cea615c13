import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Absolute path of a path option. `~`, `~/…` and `~user/…` stand for home directories, as in a shell,
 * which does not see pipeline files. Write `./~` for a folder of that name.
 */
export function resolvePath(baseDirectory: string, path: string): string {
  return resolve(baseDirectory, expandHome(path));
}

/** A path or glob with `~` or `~user` replaced; everything else is as it was. */
export function expandHome(path: string): string {
  const [, user, rest = ''] = /^~([^/]*)(.*)$/s.exec(path) ?? [];
  if (user === undefined) return path;
  const home = user === '' ? homedir() : homeOf(user);
  if (home === undefined) return path;
  return rest === '' ? home : join(home, rest);
}

const accounts = '/etc/passwd';

/** The home directory of a user of this machine; nothing for any other name. */
function homeOf(user: string): string | undefined {
  let lines: string[] = [];
  try {
    lines = readFileSync(accounts, 'utf8').split('\n');
  } catch {
    // Without the list, the name is one of a folder, as a shell takes it.
  }
  const fields = lines.map((line) => line.split(':')).find(([name]) => name === user);
  return fields?.[5] || undefined;
}
