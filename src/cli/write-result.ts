import { DepthlineError, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { writeOwn } from '../files/own-file.ts';

/**
 * Writes the result of a command. An earlier result of the same command is replaced, any other file
 * is not.
 *
 * @param mark text near the start of every such file
 * @throws DepthlineError `SINK` if it cannot be written
 */
export async function writeResult(path: string, text: string, mark: string): Promise<void> {
  try {
    await writeOwn(resolvePath(process.cwd(), path), text, mark);
  } catch (cause) {
    if (cause instanceof DepthlineError) throw cause;
    throw new DepthlineError('SINK', `cannot write ${path}: ${reason(cause)}`, { cause });
  }
}
