import { reason } from '../core/errors.ts';

/** Why nothing can be written in a directory, and what to do. */
export function writeProblem(directory: string, error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `the disk of ${directory} is full; free space or choose another directory`;
  if (code === 'EACCES' || code === 'EPERM')
    return `no permission to write in ${directory}; choose another directory`;
  if (code === 'EROFS')
    return `${directory} is on a read-only file system; choose another directory`;
  if (code === 'ENOENT')
    return `${directory} has vanished: it was removed or unmounted; bring it back, or choose another directory`;
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return `${directory} is not a directory; choose another path`;
  return `cannot write in ${directory}: ${reason(error)}`;
}
