import { existsSync } from 'node:fs';
import { resolvePath } from '../core/resolve-path.ts';

/** A warning of a path that a source is to read and that is not there yet; a glob may match later. */
export function missingInput(path: string, baseDirectory: string): string[] {
  const absolute = resolvePath(baseDirectory, path);
  if (/[*?[\]{}()!+@]/.test(path) || existsSync(absolute)) return [];
  return [`${absolute} does not exist; a run would fail`];
}
