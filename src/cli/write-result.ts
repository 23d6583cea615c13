import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { requireOwn, writeOwn } from '../files/own-file.ts';
import { writeProblem } from '../files/write-problem.ts';

/**
 * Writes the result of a command. An earlier result of the same command is replaced, any other file
 * is not.
 *
 * @param mark text near the start of every such file
 * @throws DepthlineError `SINK` if it cannot be written
 */
export async function writeResult(path: string, text: string, mark: string): Promise<void> {
  await attempt(path, (absolute) => writeOwn(absolute, text, mark));
}

/** Refuses before the measurement what `writeResult` would refuse after it. */
export async function requireWritable(path: string | undefined, mark: string): Promise<void> {
  if (path === undefined) return;
  await attempt(path, async (absolute) => {
    await requireOwn(absolute, mark);
    await access(dirname(absolute), constants.W_OK);
  });
}

async function attempt(path: string, act: (absolute: string) => Promise<unknown>): Promise<void> {
  const absolute = resolvePath(process.cwd(), path);
  try {
    await act(absolute);
  } catch (cause) {
    if (cause instanceof DepthlineError) throw cause;
    const directory = dirname(absolute);
    const problem = existsSync(directory)
      ? writeProblem(directory, cause)
      : `there is no folder ${directory}; create it`;
    throw new DepthlineError('SINK', `cannot write ${path}: ${problem}`, { cause });
  }
}
