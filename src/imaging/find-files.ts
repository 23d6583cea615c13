import { type Dirent, readdir, stat } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Absolute paths that match a glob below a folder, without folders. Everything else is found, also
 * links to files that do not exist and what is no regular file: whoever reads them says so.
 */
export async function findFiles(pattern: string, folder: string): Promise<string[]> {
  const options = { absolute: true, onlyFiles: true, caseSensitiveMatch: false };
  // The type of `readdir` has many overloads, of which tinyglobby calls one.
  const fs = { readdir: readEntries as unknown as typeof readdir };
  const { glob } = await import('tinyglobby');
  return glob(pattern, { ...options, cwd: folder, fs });
}

const status = promisify(stat);

/** `readdir` that shows everything but folders, and links to them, as files. */
function readEntries(
  folder: string,
  options: { readonly withFileTypes: true },
  done: (error: Error | null, entries?: Entry[]) => void,
): void {
  readdir(folder, options, (error, entries) => {
    if (error) return done(error);
    Promise.all(entries.map((entry) => shown(folder, entry))).then(
      (all) => done(null, all),
      (failure: Error) => done(failure),
    );
  });
}

type Entry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

async function shown(folder: string, entry: Dirent): Promise<Entry> {
  if (entry.isFile() || entry.isDirectory()) return entry;
  const linked = entry.isSymbolicLink() && (await isFolder(join(folder, entry.name)));
  return linked ? entry : { name: entry.name, ...file };
}

const file = { isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false };

async function isFolder(path: string): Promise<boolean> {
  return (await status(path).catch(() => undefined))?.isDirectory() ?? false;
}
