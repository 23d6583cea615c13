import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { DepthlineError } from '../../core/errors.ts';
import { resolvePath } from '../../core/resolve-path.ts';

/**
 * The file of a program: a path from `baseDirectory` if it has a slash, else a name that is looked up in PATH.
 *
 * @throws DepthlineError `MISSING` that says why it cannot be run, and what to do
 */
export async function findProgram(program: string, baseDirectory: string): Promise<string> {
  if (program.includes('/')) {
    const path = resolvePath(baseDirectory, program);
    const problem = await problemOf(path);
    if (problem === undefined) return path;
    throw new DepthlineError('MISSING', problem);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, program);
    if ((await problemOf(path)) === undefined) return path;
  }
  const message = `there is no program ${program} in PATH; name it with its path, such as ./${program}`;
  throw new DepthlineError('MISSING', message);
}

async function problemOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    return found.code === 'EACCES'
      ? `${path} cannot be reached: permission denied`
      : `there is no program ${path}; build or install it, or correct the command`;
  }
  if (!found.isFile()) return `${path} is not a program, but a folder or a device`;
  return access(path, constants.X_OK).then(
    () => undefined,
    () => `${path} may not be executed; allow it with: chmod +x ${path}`,
  );
}
