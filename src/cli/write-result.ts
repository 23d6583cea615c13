import { DepthlineError, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { requireOwn, writeOwn } from '../files/own-file.ts';

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
  if (path !== undefined) await attempt(path, (absolute) => requireOwn(absolute, mark));
}

async function attempt(path: string, act: (absolute: string) => Promise<unknown>): Promise<void> {
  try {
    await act(resolvePath(process.cwd(), path));
  } catch (cause) {
    if (cause instanceof DepthlineError) throw cause;
    throw new DepthlineError('SINK', `cannot write ${path}: ${reason(cause)}`, { cause });
  }
}
