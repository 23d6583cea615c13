import { existsSync } from 'node:fs';
import { DepthlineError, reason } from '../core/errors.ts';

/** Why a directory cannot be written to, and what to do. */
export function writeProblem(directory: string, error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `the disk of ${directory} is full; free space or choose another directory`;
  if (code === 'EACCES' || code === 'EPERM')
    return `no permission to write in ${directory}; choose another directory`;
  if (code === 'EROFS')
    return `${directory} is on a read-only file system; choose another directory`;
  // As in /proc, which answers ENOENT to every new name.
  if (code === 'ENOENT' && existsSync(directory))
    return `${directory} takes no new files, or a folder in it has vanished; choose another directory`;
  if (code === 'ENOTSUP')
    return `${directory} cannot be made: its file system takes no new folders; choose another directory`;
  if (code === 'ENOENT')
    return `${directory} has vanished: it was removed or unmounted; restore it, or choose another directory`;
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return `${directory} is not a directory; choose another path`;
  if (code === 'ENAMETOOLONG')
    return `a file name in ${directory} is too long; choose a shorter one`;
  return `cannot write in ${directory}: ${reason(error)}`;
}

/** The error that a writer throws; a DepthlineError is returned unchanged. */
export function sinkError(directory: string, error: unknown): DepthlineError {
  if (error instanceof DepthlineError) return error;
  return new DepthlineError('SINK', writeProblem(directory, error), { cause: error });
}
